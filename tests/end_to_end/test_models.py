"""The unmodified MLflow client logs, registers, finds and loads models, in every place."""

import json
from pathlib import Path
from typing import Any

import pytest

from end_to_end.conftest import Place

PROGRAM = Path(__file__).parent / "programs" / "models.py"


@pytest.fixture(scope="module")
def seen(place: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program saw; it runs once in each place."""
    printed = place.run(str(PROGRAM), folder=tmp_path_factory.mktemp("models"))
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def test_a_model_is_loaded_by_whatever_names_it(seen: dict[str, Any]) -> None:
    """By run, model id, version, alias and as the latest: it is the same model."""
    assert seen["loaded"].keys() == {"run", "model", "version", "alias", "latest"}
    assert [*seen["loaded"].values()] == [[0, 0, 1, 1]] * 5


def test_versions_are_numbered_and_noted_with_the_model(seen: dict[str, Any]) -> None:
    """One of `log_model`, one of the run, one of the model; servers and clients both note them."""
    assert list(map(int, seen["versions"])) == [2, 3]
    assert {*seen["logged"]["versions"]} == {1, 2, 3}


def test_a_logged_model_is_found_by_its_latest_metric(seen: dict[str, Any]) -> None:
    """It is ready, and knows its run."""
    logged = seen["logged"]
    assert (logged["status"], logged["run"], logged["metrics"]) == ("READY", True, [0.75])
    assert seen["found"] == [True]


def test_the_registry_does_what_the_client_asks(seen: dict[str, Any]) -> None:
    """Stages, searches, tags, aliases, a copy, a rename and deletions."""
    stages = {int(version): stage for version, stage in seen["stages"].items()}
    assert stages == {1: "Archived", 2: "Production", 3: "None"}
    assert list(map(int, seen["latest"])) == [2]
    assert seen["by run"] == 3
    ((name, description, tags, aliases),) = seen["models"]
    assert (name, description, tags) == ("wine", "of grapes", {"team": "a"})
    assert {alias: int(version) for alias, version in aliases.items()} == {"champion": 2}
    assert seen["uri"] == f"{seen['model_id']}/artifacts"
    assert seen["copied"] == ["wine copy", seen["copied"][1], [0, 0, 1, 1]]


def test_what_is_not_there_is_told_by_its_code(seen: dict[str, Any]) -> None:
    """A deleted version, model and logged model are unknown; a path of the server is refused."""
    missing = "RESOURCE_DOES_NOT_EXIST"
    assert [seen["deleted"], seen["gone"], seen["no model"]] == [missing] * 3
    assert seen["refused"] in {"INVALID_PARAMETER_VALUE", "PERMISSION_DENIED"}
    assert seen["no alias"] in {missing, "INVALID_PARAMETER_VALUE"}
