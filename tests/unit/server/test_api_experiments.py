"""Experiments over REST."""

import pytest

from provision.api import Api


def test_an_experiment_comes_back_as_it_was_made(api: Api) -> None:
    """Create answers with the id alone, and get with every field, ids as text, times as numbers."""
    tags = [{"key": "team", "value": "a"}, {"key": "empty"}]
    made = api.ok(api.post("experiments/create", name="vision", tags=tags))
    assert made.keys() == {"experiment_id"}
    ident = made["experiment_id"]
    found = api.ok(api.get("experiments/get", experiment_id=ident))["experiment"]
    assert found.pop("creation_time") == found.pop("last_update_time") > 0
    assert found == {
        "experiment_id": ident,
        "name": "vision",
        "artifact_location": f"mlflow-artifacts:/{ident}",
        "lifecycle_stage": "active",
        "tags": [{"key": "team", "value": "a"}, {"key": "empty", "value": ""}],
    }


def test_the_default_experiment_is_there_and_has_no_tags_field(api: Api) -> None:
    """Experiment 0 exists from the start, and what is empty is left out."""
    found = api.ok(api.get("experiments/get", experiment_id="0"))["experiment"]
    assert found["name"] == "Default"
    assert "tags" not in found


def test_get_by_name_knows_only_the_living(api: Api) -> None:
    """A deleted experiment's name is free; clients take RESOURCE_DOES_NOT_EXIST for None."""
    ident = api.experiment("x")
    found = api.ok(api.get("experiments/get-by-name", experiment_name="x"))
    assert found["experiment"]["experiment_id"] == ident
    assert api.ok(api.post("experiments/delete", experiment_id=ident)) == {}
    gone = api.get("experiments/get-by-name", experiment_name="x")
    assert (gone.status_code, gone.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    deleted = api.ok(api.get("experiments/get", experiment_id=ident))
    assert deleted["experiment"]["lifecycle_stage"] == "deleted"


def test_restore_into_a_taken_name_is_refused(api: Api) -> None:
    """Restoring brings an experiment back unless its name was given away."""
    ident = api.experiment("x")
    api.ok(api.post("experiments/delete", experiment_id=ident))
    other = api.experiment("x")
    taken = api.post("experiments/restore", experiment_id=ident)
    assert (taken.status_code, taken.json["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert api.ok(api.post("experiments/update", experiment_id=other, new_name="y")) == {}
    assert api.ok(api.post("experiments/restore", experiment_id=ident)) == {}


def test_tags_of_an_experiment(api: Api) -> None:
    """A tag is set, replaced and deleted; deleting an absent one is a 404."""
    ident = api.experiment()
    for value in ("1", "2"):
        body = {"experiment_id": ident, "key": "k", "value": value}
        assert api.ok(api.post("experiments/set-experiment-tag", body)) == {}
    found = api.ok(api.get("experiments/get", experiment_id=ident))["experiment"]
    assert found["tags"] == [{"key": "k", "value": "2"}]
    body = {"experiment_id": ident, "key": "k"}
    assert api.ok(api.post("experiments/delete-experiment-tag", body)) == {}
    assert api.post("experiments/delete-experiment-tag", body).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_search_pages_filters_and_orders(api: Api, method: str) -> None:
    """Both forms of the search give pages in order, and a token until the last."""
    for name in ("c", "a", "b", "other"):
        api.experiment(name)
    query: dict[str, object] = {
        "filter": "name LIKE '_'",
        "order_by": ["name ASC"],
        "max_results": 2,
    }
    ask = api.get if method == "GET" else lambda path, **fields: api.post(path, fields)
    first = api.ok(ask("experiments/search", **query))
    assert [each["name"] for each in first["experiments"]] == ["a", "b"]
    query["page_token"] = first["next_page_token"]
    last = api.ok(ask("experiments/search", **query))
    assert [each["name"] for each in last["experiments"]] == ["c"]
    assert "next_page_token" not in last


@pytest.mark.parametrize(
    ("view", "names"),
    [
        (None, {"Default"}),
        ("ACTIVE_ONLY", {"Default"}),
        ("DELETED_ONLY", {"gone"}),
        ("ALL", {"Default", "gone"}),
    ],
)
def test_view_types(api: Api, view: str | None, names: set[str]) -> None:
    """A view type selects the lifecycle stage; active is the default."""
    api.ok(api.post("experiments/delete", experiment_id=api.experiment("gone")))
    found = api.ok(api.post("experiments/search", view_type=view))
    assert {each["name"] for each in found["experiments"]} == names


def test_an_empty_search_is_an_empty_object(api: Api) -> None:
    """No hits: no list at all, as MLflow's JSON has it."""
    assert api.ok(api.post("experiments/search", filter="name = 'nope'")) == {}


def test_a_location_must_lie_under_a_root(api: Api) -> None:
    """A client's own artifact location is kept if it leads through the server, else refused."""
    given = "mlflow-artifacts:/somewhere/else"
    body = {"name": "mine", "artifact_location": given}
    ident = api.ok(api.post("experiments/create", body))["experiment_id"]
    found = api.ok(api.get("experiments/get", experiment_id=ident))["experiment"]
    assert found["artifact_location"] == given
    outside = api.post("experiments/create", name="other", artifact_location="file:///etc")
    assert (outside.status_code, outside.json["error_code"]) == (403, "PERMISSION_DENIED")
