"""Runs and logging over REST."""

import json

import pytest
from falcon import testing

from provision.api import JSON, Api


def test_a_run_has_mlflows_shape(api: Api) -> None:
    """Info, data, inputs and outputs, with both ids, as the stock client reads them."""
    tags = [{"key": "mlflow.user", "value": "u"}]
    body = {"experiment_id": "0", "user_id": "u", "run_name": "r", "start_time": "17", "tags": tags}
    run = api.ok(api.post("runs/create", body))["run"]
    ident = run["info"]["run_id"]
    assert run == {
        "info": {
            "run_uuid": ident,
            "run_id": ident,
            "experiment_id": "0",
            "run_name": "r",
            "user_id": "u",
            "status": "RUNNING",
            "start_time": 17,
            "artifact_uri": f"mlflow-artifacts:/0/{ident}/artifacts",
            "lifecycle_stage": "active",
        },
        "data": {"tags": [*tags, {"key": "mlflow.runName", "value": "r"}]},
        "inputs": {},
        "outputs": {},
    }
    assert api.ok(api.get("runs/get", run_uuid=ident)) == {"run": run}


def test_update_changes_only_what_is_given(api: Api) -> None:
    """Status, end time and name change one by one, and the reply is the new info."""
    ident = api.run(run_name="old")
    info = api.ok(api.post("runs/update", run_uuid=ident, status="FINISHED"))["run_info"]
    assert (info["status"], info["run_name"], "end_time" in info) == ("FINISHED", "old", False)
    info = api.ok(api.post("runs/update", run_id=ident, end_time=99, run_name="new"))["run_info"]
    assert (info["status"], info["run_name"], info["end_time"]) == ("FINISHED", "new", 99)


def test_logging_one_by_one(api: Api) -> None:
    """The four single calls each store one thing and answer with an empty object."""
    ident = api.run()
    assert api.ok(api.post("runs/log-metric", run_id=ident, key="m", value=1, timestamp=2)) == {}
    assert api.ok(api.post("runs/log-parameter", run_id=ident, key="p", value="1")) == {}
    assert api.ok(api.post("runs/set-tag", run_id=ident, key="t", value="x")) == {}
    data = api.run_data(ident)
    assert data["metrics"] == [{"key": "m", "value": 1.0, "timestamp": 2, "step": 0}]
    assert data["params"] == [{"key": "p", "value": "1"}]
    assert {"key": "t", "value": "x"} in data["tags"]
    assert api.ok(api.post("runs/delete-tag", run_id=ident, key="t")) == {}
    assert api.post("runs/delete-tag", run_id=ident, key="t").status_code == 404


def test_a_batch_is_stored_whole_or_not_at_all(api: Api) -> None:
    """One bad param of a batch keeps its metrics and tags out as well."""
    ident = api.run()
    batch = {
        "run_id": ident,
        "metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 1}],
        "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "t", "value": "1"}],
    }
    assert api.ok(api.post("runs/log-batch", batch)) == {}
    before = api.everything()
    batch["params"] = [{"key": "p", "value": "2"}]
    batch["metrics"] = [{"key": "m", "value": 2, "timestamp": 2}]
    conflict = api.post("runs/log-batch", batch)
    assert (conflict.status_code, conflict.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert api.everything() == before


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("0.5", 0.5),
        (-0.0, 0.0),
        (3, 3.0),
        (5e-324, 5e-324),
        (1.7976931348623157e308, 1.7976931348623157e308),
        (2**53 + 1, float(2**53)),
    ],
)
def test_every_double_survives(api: Api, sent: object, back: object) -> None:
    """NaN and infinities are text both ways; all other doubles come back as they were."""
    ident = api.run()
    body = {"run_id": ident, "key": "m", "value": sent, "timestamp": "5", "step": "-7"}
    api.ok(api.post("runs/log-metric", body))
    (point,) = api.ok(api.get("metrics/get-history", run_id=ident, metric_key="m"))["metrics"]
    assert point == {"key": "m", "value": back, "timestamp": 5, "step": -7}


@pytest.mark.parametrize("step", [-(2**63), 2**63 - 1])
def test_int64_edges_are_json_numbers(api: Api, step: int) -> None:
    """The edges of int64 pass, as numbers or text, and come back as exact numbers."""
    ident = api.run()
    for sent in (step, str(step)):
        body = {"run_id": ident, "key": "m", "value": 1, "timestamp": 2**63 - 1, "step": sent}
        api.ok(api.post("runs/log-metric", body))
    (point,) = api.run_data(ident)["metrics"]
    assert (point["step"], point["timestamp"]) == (step, 2**63 - 1)


def test_inputs_and_outputs(api: Api) -> None:
    """Datasets with their tags, and models read and written, come back with the run."""
    ident = api.run()
    dataset = {"name": "iris", "digest": "d1", "source_type": "local", "source": "s"}
    tags = [{"key": "mlflow.data.context", "value": "training"}]
    api.ok(
        api.post(
            "runs/log-inputs",
            run_id=ident,
            datasets=[{"tags": tags, "dataset": dataset}],
            models=[{"model_id": "m-1"}],
        )
    )
    api.ok(api.post("runs/outputs", run_id=ident, models=[{"model_id": "m-2", "step": 4}]))
    run = api.ok(api.get("runs/get", run_id=ident))["run"]
    assert run["inputs"] == {
        "dataset_inputs": [{"tags": tags, "dataset": dataset}],
        "model_inputs": [{"model_id": "m-1"}],
    }
    assert run["outputs"] == {"model_outputs": [{"model_id": "m-2", "step": 4}]}


def test_a_point_keeps_its_links_to_model_and_dataset(api: Api) -> None:
    """Model and dataset of a point are stored with it; a dataset needs name and digest."""
    ident = api.run()
    body = {"run_id": ident, "key": "m", "value": 1, "timestamp": 1, "dataset_name": "d"}
    assert api.post("runs/log-metric", body).status_code == 400
    api.ok(api.post("runs/log-metric", body | {"dataset_digest": "x", "model_id": "m-1"}))
    (point,) = api.tracker.metric_history(ident, "m").items
    (link,) = point.links
    assert (link.model_id, link.dataset_name, link.dataset_digest) == ("m-1", "d", "x")


def test_search_filters_orders_and_pages(api: Api) -> None:
    """Runs come by metric, a page at a time, and a token is only good for its own query."""
    made = [api.run() for _ in range(3)]
    for number, ident in enumerate(made):
        api.ok(api.post("runs/log-metric", run_id=ident, key="m", value=number, timestamp=1))
    query = {
        "experiment_ids": ["0"],
        "filter": "metrics.m < 2",
        "order_by": ["metrics.m DESC"],
        "max_results": 1,
    }
    first = api.ok(api.post("runs/search", query))
    assert [run["info"]["run_id"] for run in first["runs"]] == [made[1]]
    token = first["next_page_token"]
    last = api.ok(api.post("runs/search", query | {"page_token": token}))
    assert [run["info"]["run_id"] for run in last["runs"]] == [made[0]]
    other = api.post("runs/search", query | {"page_token": token, "filter": "metrics.m < 3"})
    assert other.status_code == 400
    for bad in ("zz", token[:-4] + "AAAA", token[1:], "e30=", token * 2):
        refused = api.post("runs/search", query | {"page_token": bad})
        assert (refused.status_code, refused.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_delete_and_restore(api: Api) -> None:
    """A deleted run is found by view type, refuses writes, and comes back whole."""
    ident = api.run()
    for _ in range(2):
        assert api.ok(api.post("runs/delete", run_id=ident)) == {}
    refused = api.post("runs/set-tag", run_id=ident, key="t", value="x")
    assert (refused.status_code, refused.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert api.ok(api.post("runs/search", experiment_ids=["0"])) == {}
    gone = api.ok(api.post("runs/search", experiment_ids=["0"], run_view_type="DELETED_ONLY"))
    assert [run["info"]["run_id"] for run in gone["runs"]] == [ident]
    for _ in range(2):
        assert api.ok(api.post("runs/restore", run_id=ident)) == {}
    assert api.ok(api.post("runs/set-tag", run_id=ident, key="t", value="x")) == {}


def test_no_experiments_have_no_runs(api: Api) -> None:
    """A search without experiments finds nothing, as with MLflow."""
    assert api.ok(api.post("runs/search", {})) == {}


def test_no_logged_models_are_found(api: Api) -> None:
    """The stock client asks before it downloads; the answer must be an empty object."""
    assert api.ok(api.post("logged-models/search", experiment_ids=["0"], filter="name = 'x'")) == {}


def test_an_old_client_notes_the_models_it_logged(api: Api) -> None:
    """In the run's tag, one after another, without what a flavor was configured with."""
    ident = api.run()
    model = {
        "run_id": ident,
        "artifact_path": "model",
        "utc_time_created": "2020-01-01",
        "flavors": {"sklearn": {"version": "1", "config": {"secret": 1}}},
        "signature": "x",
    }
    for _ in range(2):
        api.ok(api.post("runs/log-model", run_id=ident, model_json=json.dumps(model)))
    tags = {each["key"]: each["value"] for each in api.run_data(ident)["tags"]}
    noted = json.loads(tags["mlflow.log-model.history"])
    expected = {key: value for key, value in model.items() if key != "signature"}
    assert noted == [expected | {"flavors": {"sklearn": {"version": "1"}}}] * 2
    for bad in ("{", "[]", "{}", json.dumps({**model, "flavors": 1})):
        refused = api.post("runs/log-model", run_id=ident, model_json=bad)
        assert refused.status_code == 400, refused.text


def test_the_datasets_of_runs_are_found(api: Api) -> None:
    """Each once, with what it was used for; at most 20 experiments are asked at once."""
    home = api.experiment()
    for context in ("train", "train", None):
        tags = [] if context is None else [{"key": "mlflow.data.context", "value": context}]
        read = {"tags": tags, "dataset": {"name": "d", "digest": "1"}}
        api.ok(api.post("runs/log-inputs", run_id=api.run(home), datasets=[read]))
    path = "/ajax-api/2.0/mlflow/experiments/search-datasets"

    def found(ids: list[str]) -> testing.Result:
        body = json.dumps({"experiment_ids": ids})
        return api.client.simulate_post(path, body=body, headers=JSON)

    common = {"experiment_id": home, "name": "d", "digest": "1"}
    summaries = api.ok(found([home]))["dataset_summaries"]
    assert sorted(summaries, key=len) == [common, {**common, "context": "train"}]
    assert api.ok(found(["0"])) == {}
    assert found([]).status_code == 400
    assert found(["0"] * 21).status_code == 400
