"""Logged models in MLflow's JSON, and the files that the UI asks for."""

import json

import pytest
from falcon import testing

from provision.api import JSON, PROXY, TRACKING, Api

AJAX = "/ajax-api/2.0/mlflow"


def send(api: Api, method: str, path: str, body: object = None) -> testing.Result:
    sent = {} if body is None else {"body": json.dumps(body), "headers": JSON}
    return api.client.simulate_request(method, TRACKING + path, **sent)


def create(api: Api, **fields: object) -> dict[str, object]:
    made = api.ok(api.post("logged-models", experiment_id="0", **fields))["model"]
    return {**made["info"], **made["data"]}


def test_a_model_is_created_finished_and_deleted(api: Api) -> None:
    """As the stock client does, whose DELETE has no body."""
    pair = [{"key": "k", "value": "v"}]
    run_id = api.run()
    made = create(api, name="m", model_type="agent", source_run_id=run_id, params=pair, tags=pair)
    ident, time = made["model_id"], made["creation_timestamp_ms"]
    assert made == {
        "model_id": ident,
        "experiment_id": "0",
        "name": "m",
        "creation_timestamp_ms": time,
        "last_updated_timestamp_ms": time,
        "artifact_uri": f"mlflow-artifacts:/0/models/{ident}/artifacts",
        "status": "LOGGED_MODEL_PENDING",
        "model_type": "agent",
        "source_run_id": run_id,
        "tags": pair,
        "params": pair,
    }
    path = f"logged-models/{ident}"
    ready = {"model_id": "ignored", "status": "LOGGED_MODEL_READY"}
    finished = api.ok(send(api, "PATCH", path, ready))["model"]["info"]
    assert finished["status"] == "LOGGED_MODEL_READY"
    assert (
        api.ok(send(api, "PATCH", f"{path}/tags", {"tags": [{"key": "a/b", "value": "1"}]})) == {}
    )
    assert (
        api.ok(send(api, "POST", f"{path}/params", {"params": [{"key": "p", "value": "1"}]})) == {}
    )
    assert api.ok(send(api, "DELETE", f"{path}/tags/a/b")) == {}
    assert send(api, "DELETE", f"{path}/tags/a/b").status_code == 404
    found = api.ok(api.get(path))["model"]
    assert found["info"]["tags"] == pair
    assert found["data"]["params"] == [*pair, {"key": "p", "value": "1"}]
    empty = api.client.simulate_delete(TRACKING + path, headers={"content-length": "0"})
    assert api.ok(empty) == {}
    assert api.get(path).status_code == 404
    assert api.ok(api.get(path, allow_deleted="true"))["model"]["info"]["model_id"] == ident


def test_metrics_are_told_with_what_they_are_about(api: Api) -> None:
    """Run, model and dataset; numbers that JSON lacks are text."""
    run_id, ident = api.run(), create(api)["model_id"]
    point = {"run_id": run_id, "key": "acc", "value": "NaN", "timestamp": 1, "model_id": ident}
    api.ok(api.post("runs/log-metric", point))
    on = {"dataset_name": "d", "dataset_digest": "1"}
    api.ok(api.post("runs/log-metric", {**point, "value": 0.5, "step": 2, **on}))
    metrics = api.ok(api.get(f"logged-models/{ident}"))["model"]["data"]["metrics"]
    common = {"key": "acc", "timestamp": 1, "run_id": run_id, "model_id": ident}
    assert metrics == [
        {**common, "value": "NaN", "step": 0},
        {**common, "value": 0.5, "step": 2, **on},
    ]


def test_models_are_searched(api: Api) -> None:
    """By filter and datasets, ordered by a metric on one of them."""
    run_id = api.run()
    ids = [create(api, name=f"m{number}")["model_id"] for number in range(3)]
    for number, ident in enumerate(ids[:2]):
        point = {"key": "acc", "value": number, "timestamp": 1, "model_id": ident}
        on = {"dataset_name": "d", "dataset_digest": "1"}
        api.ok(api.post("runs/log-metric", run_id=run_id, **point, **on))

    def found(**fields: object) -> list[int]:
        page = api.ok(api.post("logged-models/search", experiment_ids=["0"], **fields))
        return [ids.index(each["info"]["model_id"]) for each in page.get("models", [])]

    order = {"field_name": "metrics.acc", "ascending": False, "dataset_name": "d"}
    assert found(order_by=[order]) == [1, 0, 2]
    assert found(order_by=[{**order, "ascending": True}]) == [0, 1, 2]
    assert found(filter="metrics.acc >= 1") == [1]
    assert found(filter="metrics.acc >= 1", datasets=[{"dataset_name": "other"}]) == []
    assert sorted(found(datasets=[{"dataset_name": "d", "dataset_digest": "1"}])) == [0, 1]
    first = api.ok(api.post("logged-models/search", experiment_ids=["0"], max_results=2))
    assert len(first["models"]) == 2
    token = first["next_page_token"]
    rest = api.post("logged-models/search", experiment_ids=["0"], max_results=2, page_token=token)
    assert len(api.ok(rest)["models"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "logged-models", {}, 400),
        ("POST", "logged-models", {"experiment_id": "1"}, 404),
        ("POST", "logged-models", {"experiment_id": "0", "name": "a/b"}, 400),
        ("GET", "logged-models/m-1", None, 404),
        ("PATCH", "logged-models/m-1", {"status": "LOGGED_MODEL_READY"}, 404),
        ("PATCH", "logged-models/m-1", {"status": "READY"}, 400),
        ("PATCH", "logged-models/m-1", {}, 400),
        ("PATCH", "logged-models/m-1", None, 415),
        ("DELETE", "logged-models/m-1", None, 404),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "filter": "x"}, 400),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "max_results": -1}, 400),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "datasets": [{}]}, 400),
        ("POST", "logged-models/search", {}, 400),
    ],
)
def test_mistakes_are_the_callers(
    api: Api, method: str, path: str, body: object, status: int
) -> None:
    """Each has MLflow's status."""
    found = send(api, method, path, body)
    assert found.status_code == status, found.text


def test_files_of_runs_versions_and_models_are_served_to_the_ui(api: Api) -> None:
    """As attachments; a run's file can be uploaded too."""
    run_id = api.run()
    made = create(api, source_run_id=run_id)
    put = api.client.simulate_put(
        f"{PROXY}/0/models/{made['model_id']}/artifacts/a/MLmodel", body=b"m"
    )
    assert put.status_code == 200
    query = {"run_uuid": run_id, "path": "b/c.txt"}
    sent = api.client.simulate_post(f"{AJAX}/upload-artifact", params=query, body=b"c")
    assert sent.status_code == 200, sent.text
    api.ok(api.post("registered-models/create", name="m"))
    api.ok(api.post("model-versions/create", name="m", source=f"models:/{made['model_id']}"))
    of_model = f"{AJAX}/logged-models/{made['model_id']}/artifacts/files"
    of_version = {"name": "m", "version": "1", "path": "a/MLmodel"}
    for path, params, content in (
        ("/get-artifact", query, b"c"),
        ("/get-artifact", {"run_id": run_id, "path": "b/c.txt"}, b"c"),
        (of_model, {"artifact_file_path": "a/MLmodel"}, b"m"),
        ("/model-versions/get-artifact", of_version, b"m"),
    ):
        found = api.client.simulate_get(path, params=params)
        assert (found.status_code, found.content) == (200, content), found.text
        assert found.headers["content-disposition"].startswith("attachment")
        assert api.client.simulate_get(path, params={**params, "path": ""}).status_code == 400 or (
            path == of_model
        )
    listed = api.ok(api.get(f"logged-models/{made['model_id']}/artifacts/directories"))
    assert listed == {"root_uri": made["artifact_uri"], "files": [{"path": "a", "is_dir": True}]}
    below = api.get(
        f"logged-models/{made['model_id']}/artifacts/directories", artifact_directory_path="a"
    )
    assert api.ok(below)["files"] == [{"path": "a/MLmodel", "is_dir": False, "file_size": 1}]
    missing = api.client.simulate_get("/get-artifact", params={"run_id": run_id, "path": "x"})
    assert missing.status_code == 404
