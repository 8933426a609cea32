"""What is wrong with a request: one answer for each, and nothing written."""

import json

import pytest

from provision.api import JSON, TRACKING, Api
from trackstore import errors, limits
from trackstore.wire.failures import STATUSES, status_of

NOT_JSON = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"{'key': 1}",
    b'{"run_id": NaN}',
    b"\xef\xbb\xbf{}",
    '{"name": "x"}'.encode("utf-16"),
    b'{"run_id": "\xff", "key": "\xff", "name": "\xff", "experiment_id": "\xff"}',
    rb'{"name": "\ud800", "run_id": "\ud800", "experiment_id": "\ud800", "key": "\ud800"}',
    b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"unknown": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
]
WRITES = [
    "experiments/create",
    "experiments/update",
    "experiments/delete",
    "experiments/set-experiment-tag",
    "experiments/delete-experiment-tag",
    "runs/create",
    "runs/update",
    "runs/delete",
    "runs/log-metric",
    "runs/log-parameter",
    "runs/log-batch",
    "runs/log-inputs",
    "runs/outputs",
    "runs/set-tag",
    "runs/delete-tag",
]

RUN = "$run"
"""Stands for a run's id in the tables below."""

POINT = {"key": "m", "value": 1, "timestamp": 1}
LOG_METRIC = {"run_id": RUN, **POINT}
BATCH = {"run_id": RUN, "params": [{"key": "p", "value": "1"}]}

BAD: list[tuple[str, dict[str, object]]] = [
    ("experiments/create", {}),
    ("experiments/create", {"name": None}),
    ("experiments/create", {"name": ""}),
    ("experiments/create", {"name": "  "}),
    ("experiments/create", {"name": 5}),
    ("experiments/create", {"name": ["x"]}),
    ("experiments/create", {"name": "a\0b"}),
    ("experiments/create", {"name": "x" * (limits.EXPERIMENT_NAME + 1)}),
    ("experiments/create", {"name": "x", "tags": {}}),
    ("experiments/create", {"name": "x", "tags": [5]}),
    ("experiments/create", {"name": "x", "tags": [{"value": "no key"}]}),
    ("experiments/create", {"name": "x", "tags": [{"key": "../a", "value": ""}]}),
    ("experiments/create", {"name": "Default"}),
    ("experiments/update", {"experiment_id": "0"}),
    ("experiments/update", {"experiment_id": "0", "new_name": ""}),
    ("experiments/set-experiment-tag", {"experiment_id": "0", "key": "a//b", "value": "1"}),
    ("experiments/set-experiment-tag", {"experiment_id": "0", "key": "k", "value": 5}),
    ("experiments/set-experiment-tag", {"experiment_id": 0, "key": "k", "value": "1"}),
    ("experiments/search", {"view_type": "all"}),
    ("experiments/search", {"max_results": 0}),
    ("experiments/search", {"max_results": limits.PAGE + 1}),
    ("experiments/search", {"max_results": 1.5}),
    ("experiments/search", {"filter": "name = "}),
    ("experiments/search", {"filter": 5}),
    ("experiments/search", {"order_by": "name"}),
    ("experiments/search", {"page_token": "zz"}),
    ("runs/create", {}),
    ("runs/create", {"experiment_id": None}),
    ("runs/create", {"experiment_id": 0}),
    ("runs/create", {"experiment_id": "0", "start_time": -1}),
    ("runs/create", {"experiment_id": "0", "start_time": 2**63}),
    ("runs/create", {"experiment_id": "0", "start_time": "soon"}),
    ("runs/create", {"experiment_id": "0", "run_name": 5}),
    ("runs/create", {"experiment_id": "0", "run_name": "x" * (limits.RUN_NAME + 1)}),
    (
        "runs/create",
        {"experiment_id": "0", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]},
    ),
    ("runs/update", {}),
    ("runs/update", {"run_id": RUN, "status": "finished"}),
    ("runs/update", {"run_id": RUN, "status": 3}),
    ("runs/update", {"run_id": RUN, "end_time": -1}),
    ("runs/update", {"run_id": RUN, "end_time": 1.5, "status": "FAILED"}),
    ("runs/search", {"experiment_ids": "0"}),
    ("runs/search", {"experiment_ids": [0]}),
    ("runs/search", {"experiment_ids": ["0"], "filter": "metrics.m = 'x'"}),
    ("runs/search", {"experiment_ids": ["0"], "filter": "a OR b"}),
    ("runs/search", {"experiment_ids": ["0"], "order_by": ["metrics.m", "metrics.m"]}),
    ("runs/search", {"experiment_ids": ["0"], "max_results": 0}),
    ("runs/search", {"experiment_ids": ["0"], "run_view_type": "x"}),
    ("runs/search", {"experiment_ids": ["0"], "page_token": "AAAA"}),
    ("runs/log-metric", POINT),
    ("runs/log-metric", LOG_METRIC | {"run_id": ""}),
    ("runs/log-metric", LOG_METRIC | {"run_id": 5}),
    ("runs/log-metric", {"run_id": RUN, "key": "m", "timestamp": 1}),
    ("runs/log-metric", {"run_id": RUN, "key": "m", "value": 1}),
    ("runs/log-metric", LOG_METRIC | {"key": ""}),
    ("runs/log-metric", LOG_METRIC | {"key": "\u2603"}),
    ("runs/log-metric", LOG_METRIC | {"key": "m" * (limits.KEY + 1)}),
    ("runs/log-metric", LOG_METRIC | {"value": "abc"}),
    ("runs/log-metric", LOG_METRIC | {"value": True}),
    ("runs/log-metric", LOG_METRIC | {"value": None}),
    ("runs/log-metric", LOG_METRIC | {"value": 10**400}),
    ("runs/log-metric", LOG_METRIC | {"value": [1]}),
    ("runs/log-metric", LOG_METRIC | {"timestamp": -1}),
    ("runs/log-metric", LOG_METRIC | {"timestamp": 2**63}),
    ("runs/log-metric", LOG_METRIC | {"timestamp": "9" * 100_000}),
    ("runs/log-metric", LOG_METRIC | {"step": 2**63}),
    ("runs/log-metric", LOG_METRIC | {"step": -(2**63) - 1}),
    ("runs/log-metric", LOG_METRIC | {"step": 1.5}),
    ("runs/log-metric", LOG_METRIC | {"step": True}),
    ("runs/log-parameter", {"run_id": RUN, "value": "1"}),
    ("runs/log-parameter", {"run_id": RUN, "key": "p", "value": 1}),
    ("runs/log-parameter", {"run_id": RUN, "key": "p", "value": "a\0"}),
    (
        "runs/log-parameter",
        {"run_id": RUN, "key": "p", "value": "x" * (limits.PARAM_VALUE + 1)},
    ),
    ("runs/log-batch", BATCH | {"metrics": {}}),
    ("runs/log-batch", BATCH | {"metrics": [POINT, POINT | {"step": "x"}]}),
    ("runs/log-batch", BATCH | {"metrics": [POINT | {"timestamp": None}]}),
    ("runs/log-batch", BATCH | {"metrics": [POINT] * (limits.REQUEST_METRICS + 1)}),
    (
        "runs/log-batch",
        {
            "run_id": RUN,
            "params": [{"key": f"p{n}", "value": ""} for n in range(limits.REQUEST_PARAMS + 1)],
        },
    ),
    ("runs/log-batch", BATCH | {"tags": [{"key": "t"}] * (limits.REQUEST_TAGS + 1)}),
    ("runs/log-batch", {"run_id": RUN, "params": [{"key": "q", "value": "1"}] * 2}),
    ("runs/log-batch", BATCH | {"tags": [{"key": "t", "value": "x" * (limits.TAG_VALUE + 1)}]}),
    ("runs/log-inputs", {"run_id": RUN, "datasets": [{"tags": []}]}),
    ("runs/log-inputs", {"run_id": RUN, "datasets": [{"dataset": {"name": "", "digest": "d"}}]}),
    ("runs/log-inputs", {"run_id": RUN, "models": [{"model_id": ""}]}),
    ("runs/outputs", {"run_id": RUN}),
    ("runs/outputs", {"run_id": RUN, "models": [{"model_id": "m", "step": 2**63}]}),
    ("runs/set-tag", {"run_id": RUN, "key": "t", "value": 5}),
    ("runs/set-tag", {"run_id": RUN, "key": "mlflow.runName", "value": "x" * 1001}),
    ("runs/delete-tag", {"run_id": RUN, "key": "mlflow.runName"}),
]
UNKNOWN: list[tuple[str, dict[str, object]]] = [
    ("experiments/update", {"experiment_id": "7", "new_name": "x"}),
    ("experiments/delete", {"experiment_id": "../0"}),
    ("runs/create", {"experiment_id": "7"}),
    ("runs/create", {"experiment_id": ""}),
    ("runs/update", {"run_id": "nope"}),
    ("runs/log-metric", LOG_METRIC | {"run_id": "a\0b"}),
    ("runs/log-metric", LOG_METRIC | {"run_id": "x" * 100_000}),
    ("runs/log-batch", {"run_id": "../../etc/passwd"}),
    ("runs/delete", {"run_uuid": "nope"}),
    ("runs/delete-tag", {"run_id": RUN, "key": "absent"}),
]


def filled(body: dict[str, object], run_id: str) -> dict[str, object]:
    return {key: run_id if value == RUN else value for key, value in body.items()}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [(path, body, 400) for path, body in BAD] + [(path, body, 404) for path, body in UNKNOWN],
    ids=lambda value: repr(value)[:60],
)
def test_a_bad_request_writes_nothing(
    api: Api, path: str, body: dict[str, object], status: int
) -> None:
    """A wrong value is a 400 and an unknown id a 404, in MLflow's JSON, and nothing is stored."""
    ident = api.run()
    api.ok(api.post("runs/log-parameter", run_id=ident, key="p", value="1"))
    before = api.everything()
    refused = api.post(path, filled(body, ident))
    assert refused.status_code == status, refused.text
    assert refused.json.keys() == {"error_code", "message"}
    assert refused.json["error_code"] in {
        "INVALID_PARAMETER_VALUE",
        "RESOURCE_DOES_NOT_EXIST",
        "RESOURCE_ALREADY_EXISTS",
    }
    assert len(refused.text) < 600
    assert api.everything() == before


@pytest.mark.parametrize("path", WRITES)
def test_a_body_that_is_no_json_object_is_refused(api: Api, path: str) -> None:
    """Whatever is not one JSON object in UTF-8 is a 400 for every call, and nothing is stored."""
    before = api.everything()
    for body in NOT_JSON:
        refused = api.post(path, body)
        assert refused.status_code in {400, 404}, (body[:80], refused.text)
        assert refused.json["error_code"] in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}
    assert api.everything() == before


def test_missing_and_mistyped_fields_are_named_as_mlflow_names_them(api: Api) -> None:
    """The text that users of MLflow know, with the field's name and the types."""
    hint = "See the API docs for more information about request parameters."
    message = api.post("runs/log-metric", {}).json["message"]
    assert message == f"Missing value for required parameter 'key'. {hint}"
    message = api.post("runs/log-batch", {"params": []}).json["message"]
    assert message == f"Missing value for required parameter 'run_id'. {hint}"
    message = api.post("experiments/create", {"name": 5}).json["message"]
    assert message.startswith("Invalid value for parameter 'name' supplied: Expected `str`, got")
    bad = {"run_id": "r", "metrics": [{"key": "m", "value": 1}]}
    message = api.post("runs/log-batch", bad).json["message"]
    assert message.startswith("Missing value for required parameter 'metrics[0].timestamp'.")


def test_unknown_fields_are_ignored(api: Api) -> None:
    """Clients of other versions send fields of their own, such as a run id in each metric."""
    ident = api.run()
    point = POINT | {"run_id": ident, "later": {"nested": [1, 2]}}
    api.ok(api.post("runs/log-batch", run_id=ident, metrics=[point], novelty=None))
    assert len(api.run_data(ident)["metrics"]) == 1


@pytest.mark.parametrize(
    "query", ["run_id=%ff", "run_id=\xc3", "run_id=" + "x" * 300, "", "run_id=", "a=1&" * 2000]
)
def test_a_bad_query_is_refused(api: Api, query: str) -> None:
    """Bytes that are not UTF-8, missing values and endless queries are a caller's mistakes."""
    result = api.client.simulate_get(TRACKING + "runs/get", query_string=query)
    assert result.status_code in {400, 404}
    assert result.json["error_code"] in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}


def test_a_body_over_the_limit_is_refused_unread(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its length is declared or not."""
    monkeypatch.setattr(limits, "REQUEST_BYTES", 100)
    body = json.dumps({"name": "x" * 101}).encode()
    assert api.post("experiments/create", body).status_code == 400
    chunked = api.client.simulate_post(
        TRACKING + "experiments/create",
        body=body,
        headers=JSON | {"transfer-encoding": "chunked"},
        extras={"CONTENT_LENGTH": ""},
    )
    assert chunked.status_code == 400
    assert "100 bytes" in chunked.json["message"]


def test_a_cut_body_is_refused_although_what_came_is_json(api: Api) -> None:
    """Fewer bytes than declared: what the client meant is not known."""
    result = api.client.simulate_post(
        TRACKING + "experiments/create",
        body=b'{"name": "x"}',
        headers=JSON,
        extras={"CONTENT_LENGTH": "14"},
    )
    assert result.status_code == 400
    assert "before its declared length" in result.json["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "ENDPOINT_NOT_FOUND"),
        ("GET", TRACKING + "nope", 404, "ENDPOINT_NOT_FOUND"),
        ("GET", TRACKING + "runs/get/", 404, "ENDPOINT_NOT_FOUND"),
        ("GET", "/<script>alert(1)</script>", 404, "ENDPOINT_NOT_FOUND"),
        ("POST", "/api/3.0/mlflow-nope", 404, "ENDPOINT_NOT_FOUND"),
        ("GET", TRACKING + "runs/create", 405, "ENDPOINT_NOT_FOUND"),
        ("DELETE", "/health", 405, "ENDPOINT_NOT_FOUND"),
        ("PATCH", TRACKING + "webhooks/1", 501, "NOT_IMPLEMENTED"),
        ("POST", "/api/3.0/mlflow/scorers/register", 501, "NOT_IMPLEMENTED"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/list/0/x", 404, "ENDPOINT_NOT_FOUND"),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/0/x", 501, "NOT_IMPLEMENTED"),
        ("POST", "/api/3.0/mlflow/traces", 501, "NOT_IMPLEMENTED"),
        ("POST", "/v1/traces", 501, "NOT_IMPLEMENTED"),
        ("POST", "/graphql", 501, "NOT_IMPLEMENTED"),
    ],
)
def test_what_is_not_served_says_so_in_json(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    """404 for what nobody knows, 405 for a wrong method, 501 for MLflow's that is not ours."""
    result = api.client.simulate_request(method, path)
    assert (result.status_code, result.json["error_code"]) == (status, code)
    assert result.headers["content-type"] == "application/json"
    assert "script" not in result.text
    assert (status == 405) == ("allow" in result.headers)


ALL_ERRORS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.TrackstoreError)
]


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_every_error_has_a_status(
    api: Api, kind: type[errors.TrackstoreError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each error of the tree is answered with its own status, code and message."""

    def fail(*_: object) -> None:
        raise kind("the message")

    monkeypatch.setattr(api.tracker.store, "get_run", fail)
    result = api.get("runs/get", run_id="r")
    status, code = status_of(kind("x"))
    assert result.status_code == status
    assert result.json == {"error_code": code, "message": "the message"}
    is_ours = issubclass(kind, errors.BackendError) or kind is errors.TrackstoreError
    assert (status >= 500) == (is_ours or kind is errors.Unsupported)
    assert is_ours or kind in STATUSES


def test_a_bug_is_a_500_without_its_text(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What we did not mean to raise may hold anything, so the client sees none of it."""

    def fail(*_: object) -> None:
        raise RuntimeError("SELECT secret FROM /home/user")

    monkeypatch.setattr(api.tracker.store, "get_run", fail)
    result = api.get("runs/get", run_id="r")
    assert (result.status_code, result.json["error_code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in result.text
