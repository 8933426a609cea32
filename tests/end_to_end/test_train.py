"""The unmodified MLflow client trains, and what it logged is stored."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackstore
from end_to_end.conftest import Place, run_python
from provision.server import running_server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed(place: Place, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `examples/train.py` prints; it runs once in each place."""
    command = [str(ROOT / "examples" / "train.py"), "--tracking-uri", place.uri]
    return place.run(*command, folder=tmp_path_factory.mktemp("train"))


@pytest.fixture
def tracker(place: Place, printed: str) -> Iterator[trackstore.Tracker]:
    with trackstore.open(place.backend, place.artifacts) as tracker:
        yield tracker


@pytest.fixture
def runs(tracker: trackstore.Tracker) -> dict[str, trackstore.Run]:
    """The experiment's runs by name; autolog's children have names of the client's making."""
    wine = tracker.find_experiment("wine")
    return {run.name: run for run in tracker.search_runs([wine.id]).items}


def children(runs: dict[str, trackstore.Run], parent: str) -> list[trackstore.Run]:
    wanted = runs[parent].id
    return [run for run in runs.values() if run.tags.get("mlflow.parentRunId") == wanted]


def test_the_experiment_is_stored(tracker: trackstore.Tracker) -> None:
    """`set_experiment` and its tags."""
    wine = tracker.find_experiment("wine")
    assert wine.tags == {"task": "classification", "owner": "examples"}
    assert wine.artifact_location == f"mlflow-artifacts:/{wine.id}"


def test_all_runs_are_stored_and_ended(runs: dict[str, trackstore.Run]) -> None:
    """Two parents, three runs by hand and four by autolog, nested as the client nested them."""
    assert len(runs) == 9
    assert len(children(runs, "learning rates")) == 3
    assert len(children(runs, "grid search")) == 4
    for run in runs.values():
        assert run.status is trackstore.RunStatus.FINISHED
        assert run.end_time is not None
        assert run.end_time >= run.start_time


def test_what_was_logged_by_hand_is_stored(
    tracker: trackstore.Tracker, runs: dict[str, trackstore.Run]
) -> None:
    """Params, tags, metrics with their whole history, and artifacts, each as it was sent."""
    assert runs["learning rates"].params == {"epochs": "20", "features": "13"}
    assert runs["learning rates"].tags["stage"] == "explored"
    for run in children(runs, "learning rates"):
        assert run.name == f"rate {run.params['rate']}"
        assert run.params["loss"] == "log_loss"
        assert run.tags["model"] == "SGD"
        assert set(run.metrics) == {"train loss", "accuracy", "epoch"}
        history = list(tracker.iter_metric_history(run.id, "train loss"))
        assert [point.step for point in history] == list(range(20))
        assert run.metrics["train loss"] == history[-1]
        assert run.metrics["epoch"].value == 19
        files = tracker.artifacts.at(run.artifact_uri)
        coefficients = json.loads(b"".join(files.get("model/coefficients.json")))
        assert len(coefficients["coefficients"]) == 3
    notes = tracker.artifacts.at(runs["learning rates"].artifact_uri)
    assert b"".join(notes.get("notes/readme.txt")) == b"three learning rates, one model"


def test_what_autolog_logged_is_stored(
    tracker: trackstore.Tracker, runs: dict[str, trackstore.Run]
) -> None:
    """The grid search's params, scores, pictures and tables."""
    parent = runs["grid search"]
    assert parent.params["best_n_estimators"] in {"5", "20"}
    assert 0.8 < parent.metrics["test accuracy"].value <= 1
    files = {info.path for info in tracker.artifacts.at(parent.artifact_uri).walk()}
    assert {"cv_results.csv", "estimator.html", "training_confusion_matrix.png"} <= files
    scores = [run.metrics["mean_test_score"].value for run in children(runs, "grid search")]
    assert max(scores) == parent.metrics["best_cv_score"].value


def test_the_client_finds_what_the_library_finds(
    printed: str, tracker: trackstore.Tracker, runs: dict[str, trackstore.Run]
) -> None:
    """The example's own search, history and download over HTTP agree with what is stored."""
    best = tracker.search_runs(
        [runs["grid search"].experiment_id],
        f"tags.`mlflow.parentRunId` = '{runs['learning rates'].id}' AND metrics.accuracy > 0.5",
        order_by=["metrics.accuracy DESC", "metrics.`train loss` ASC"],
        limit=1,
    ).items[0]
    size = tracker.artifacts.at(best.artifact_uri).stat("model/coefficients.json").size
    assert f"best run   {best.name}, accuracy {best.metrics['accuracy'].value:.3f}" in printed
    assert f"20 points, last {best.metrics['train loss'].value:.4f}" in printed
    assert f"model/coefficients.json, {size} bytes" in printed
    assert "stored     9 runs" in printed


def test_the_readmes_first_code_runs(tmp_path: Path) -> None:
    """As it stands, but for the port."""
    page = (ROOT / "README.md").read_text()
    found = re.search(r"```python\n(import mlflow.*?)```", page, re.DOTALL)
    assert found
    with running_server(tmp_path) as server:
        code = found[1].replace("http://127.0.0.1:5000", server.url)
        assert code != found[1]
        run_python("-c", code, folder=tmp_path, tracking_uri="", artifacts="")
