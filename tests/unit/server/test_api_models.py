"""Registered models and their versions in MLflow's JSON."""

import json

import pytest

from provision.api import JSON, TRACKING, Api

MODELS, VERSIONS = "registered-models/", "model-versions/"


def send(api: Api, method: str, path: str, **fields: object) -> object:
    found = api.client.simulate_request(
        method, TRACKING + path, body=json.dumps(fields), headers=JSON
    )
    return api.ok(found)


@pytest.fixture
def source(api: Api) -> str:
    return f"runs:/{api.run()}/model"


def version(api: Api, source: str, name: str = "m", **fields: object) -> dict[str, object]:
    made = api.ok(api.post(VERSIONS + "create", name=name, source=source, **fields))
    return made["model_version"]


def test_a_model_is_created_and_read(api: Api) -> None:
    """With its tags; what is empty is left out."""
    tags = [{"key": "team", "value": "a"}, {"key": "note", "value": ""}]
    made = api.ok(api.post(MODELS + "create", name="m", tags=tags, description="d"))
    model = made["registered_model"]
    time = model["creation_timestamp"]
    assert isinstance(time, int)
    assert model == {
        "name": "m",
        "creation_timestamp": time,
        "last_updated_timestamp": time,
        "tags": tags,
        "description": "d",
    }
    assert api.ok(api.get(MODELS + "get", name="m")) == made
    taken = api.post(MODELS + "create", name="m")
    assert (taken.status_code, taken.json["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")


def test_a_version_is_created_and_read(api: Api, source: str) -> None:
    """Its number is text; run and stage are told, and its location is resolved."""
    api.ok(api.post(MODELS + "create", name="m"))
    made = version(api, source, tags=[{"key": "k", "value": "v"}])
    run_id = source.split("/")[1]
    assert made == {
        "name": "m",
        "version": "1",
        "creation_timestamp": made["creation_timestamp"],
        "last_updated_timestamp": made["creation_timestamp"],
        "current_stage": "None",
        "description": "",
        "source": source,
        "run_id": run_id,
        "status": "READY",
        "run_link": "",
        "tags": [{"key": "k", "value": "v"}],
    }
    assert api.ok(api.get(VERSIONS + "get", name="m", version="1")) == {"model_version": made}
    uri = api.ok(api.get(VERSIONS + "get-download-uri", name="m", version="1"))
    assert uri == {"artifact_uri": f"mlflow-artifacts:/0/{run_id}/artifacts/model"}
    model = api.ok(api.get(MODELS + "get", name="m"))["registered_model"]
    assert model["latest_versions"] == [made]


def test_everything_of_a_model_changes(api: Api, source: str) -> None:
    """Names, descriptions, tags, aliases and stages, by the verbs that MLflow's client uses."""
    api.ok(api.post(MODELS + "create", name="m"))
    for _ in range(2):
        version(api, source)
    assert send(api, "POST", MODELS + "set-tag", name="m", key="a", value="1") == {}
    assert send(api, "POST", MODELS + "alias", name="m", alias="champion", version="1") == {}
    changed = send(api, "PATCH", MODELS + "update", name="m", description="d")
    assert changed["registered_model"]["description"] == "d"
    renamed = send(api, "POST", MODELS + "rename", name="m", new_name="n")["registered_model"]
    assert renamed["name"] == "n"
    assert renamed["aliases"] == [{"alias": "champion", "version": "1"}]
    found = api.ok(api.get(MODELS + "alias", name="n", alias="champion"))["model_version"]
    assert (found["version"], found["aliases"]) == ("1", ["champion"])
    described = send(api, "PATCH", VERSIONS + "update", name="n", version="2", description="v")
    assert described["model_version"]["description"] == "v"
    assert send(api, "POST", VERSIONS + "set-tag", name="n", version="2", key="k", value="v") == {}
    for number in ("1", "2"):
        moved = send(
            api,
            "POST",
            VERSIONS + "transition-stage",
            name="n",
            version=number,
            stage="production",
            archive_existing_versions=True,
        )
        assert moved["model_version"]["current_stage"] == "Production"
    latest = api.ok(api.post(MODELS + "get-latest-versions", name="n", stages=["Production"]))
    assert [each["version"] for each in latest["model_versions"]] == ["2"]
    latest = api.ok(api.get(MODELS + "get-latest-versions", name="n"))["model_versions"]
    assert [each["current_stage"] for each in latest] == ["Archived", "Production"]
    for path, fields in (
        (MODELS + "delete-tag", {"key": "a"}),
        (MODELS + "alias", {"alias": "champion"}),
        (VERSIONS + "delete-tag", {"version": "2", "key": "k"}),
        (VERSIONS + "delete", {"version": "1"}),
    ):
        assert send(api, "DELETE", path, name="n", **fields) == {}
    model = api.ok(api.get(MODELS + "get", name="n"))["registered_model"]
    assert not {"tags", "aliases"} & model.keys()
    assert [each["version"] for each in model["latest_versions"]] == ["2"]
    assert send(api, "DELETE", MODELS + "delete", name="n") == {}
    assert api.get(MODELS + "get", name="n").status_code == 404


def test_models_and_versions_are_searched(api: Api, source: str) -> None:
    """Page by page, in the order that is asked for."""
    for name in ("b", "a"):
        api.ok(api.post(MODELS + "create", name=name))
        version(api, source, name)
    assert api.ok(api.get(MODELS + "search", filter="name = 'x'")) == {}
    first = api.ok(api.get(MODELS + "search", max_results=1, order_by="name DESC"))
    assert [each["name"] for each in first["registered_models"]] == ["b"]
    second = api.ok(
        api.get(
            MODELS + "search",
            max_results=1,
            order_by="name DESC",
            page_token=first["next_page_token"],
        )
    )
    assert [each["name"] for each in second["registered_models"]] == ["a"]
    found = api.ok(api.get(VERSIONS + "search", filter="name='a'", order_by="version_number DESC"))
    assert [each["name"] for each in found["model_versions"]] == ["a"]


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        (MODELS + "get", {"name": "x"}, 404),
        (MODELS + "get", {}, 400),
        (MODELS + "get", {"name": "a/b"}, 400),
        (MODELS + "search", {"filter": "stage = 'x'"}, 400),
        (MODELS + "search", {"max_results": "1001"}, 400),
        (MODELS + "search", {"page_token": "x"}, 400),
        (VERSIONS + "get", {"name": "m", "version": "x"}, 400),
        (VERSIONS + "get", {"name": "m", "version": "7"}, 404),
        (VERSIONS + "get", {"name": "m", "version": "9" * 30}, 400),
        (VERSIONS + "search", {"max_results": "0"}, 400),
        (MODELS + "alias", {"name": "m", "alias": "x"}, 404),
        (MODELS + "get-latest-versions", {"name": "m", "stages": "Test"}, 400),
    ],
)
def test_mistakes_are_the_callers(api: Api, path: str, fields: dict, status: int) -> None:
    """Each has MLflow's status."""
    api.ok(api.post(MODELS + "create", name="m"))
    found = api.get(path, **fields)
    assert found.status_code == status, found.text


def test_a_version_of_a_logged_model_is_noted_with_it(api: Api) -> None:
    """The UI shows the versions that were made from a model by this tag."""
    asked = {"experiment_id": "0", "source_run_id": api.run()}
    info = api.ok(api.post("logged-models", asked))["model"]["info"]
    api.ok(api.post(MODELS + "create", name="m"))
    for _ in range(2):
        made = version(api, f"models:/{info['model_id']}")
        assert (made["run_id"], made["model_id"]) == (asked["source_run_id"], info["model_id"])
    tags = api.ok(api.get(f"logged-models/{info['model_id']}"))["model"]["info"]["tags"]
    noted = '[{"name":"m","version":1},{"name":"m","version":2}]'
    assert tags == [{"key": "mlflow.modelVersions", "value": noted}]
