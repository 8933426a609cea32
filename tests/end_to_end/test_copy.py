"""What MLflow itself has written, in each of its stores, is copied into ours."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

import trackstore
from provision.mlflow_server import QUIET, running_mlflow_server

PROGRAM = """
import math, sys
import mlflow, numpy
from sklearn.linear_model import LogisticRegression
client = mlflow.MlflowClient()
fitted = LogisticRegression().fit(numpy.array([[0.0], [1.0]]), [0, 1])
mlflow.set_experiment("fruit")
mlflow.set_experiment_tags({"team": "a"})
with mlflow.start_run(run_name="one") as run:
    mlflow.log_params({"lr": "0.1", "opt/name": "sgd"})
    for step in range(5):
        mlflow.log_metric("val/loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"nan": math.nan, "low": -1.5}, step=-3)
    mlflow.log_text("hello", "notes/n.txt")
    data = mlflow.data.from_numpy(numpy.arange(3.0), name="apples")
    mlflow.log_input(data, context="training")
    info = mlflow.sklearn.log_model(fitted, name="model", registered_model_name="net")
    mlflow.log_metric("acc", 0.5, step=7, model_id=info.model_id, dataset=data)
with mlflow.start_run(run_name="two") as two:
    mlflow.log_metric("x", 1)
mlflow.delete_run(two.info.run_id)
with mlflow.start_run(run_name="three"):
    mlflow.set_tag("mlflow.note.content", "two\\nlines: \u00e9 'q' \\"d\\"")
old = mlflow.create_experiment("old")
with mlflow.start_run(experiment_id=old):
    mlflow.log_metric("y", 2)
mlflow.delete_experiment(old)
mlflow.register_model(info.model_uri, "net")
client.set_registered_model_alias("net", "champion", "2")
client.set_registered_model_tag("net", "a", "b")
client.update_model_version("net", "1", "first: one")
client.transition_model_version_stage("net", "1", "Staging")
client.create_run("0", run_name="default run")
"""


class Written(NamedTuple):
    """Where MLflow has written, and where its files are."""

    source: str
    files: Path


def write(folder: Path, uri: str) -> None:
    environment = {**os.environ, **QUIET, "MLFLOW_TRACKING_URI": uri}
    environment["MLFLOW_ALLOW_FILE_STORE"] = "true"
    command = [sys.executable, "-c", PROGRAM]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=240)


@pytest.fixture(scope="module", params=["sqlite", "postgres", "folder", "server"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("mlflow")
    with ExitStack() as stack:
        uri = f"sqlite:///{folder}/mlflow.db"
        if request.param == "postgres":
            uri = request.getfixturevalue("postgres").fresh()
        if request.param == "folder":
            uri = (folder / "mlruns").as_uri()
        if request.param == "server":
            store = ("--backend-store-uri", uri, "--workers", "1")
            uri = stack.enter_context(running_mlflow_server(folder, *store)).url
        write(folder, uri)
        yield Written(f"mlflow:{uri}", folder / "mlartifacts")


def copy(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-c", "from trackstore.cli import main; main()", "copy", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file): sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "server.log"
    }


def test_all_that_mlflow_has_is_copied(written: Written, tmp_path: Path) -> None:
    """Runs, histories, datasets, models, aliases and files; the source stays as it was."""
    before = digests(written.files.parent)
    backend, files = f"sqlite:///{tmp_path}/runs.db", tmp_path / "files"
    options = ["--artifacts-from", str(written.files), "--artifacts-to", str(files)]
    said = copy(written.source, backend, *options, folder=tmp_path)
    assert "3 experiments, 5 runs" in said
    assert "agree" in said
    assert digests(written.files.parent) == before
    assert "agree" in copy(written.source, backend, *options, folder=tmp_path)
    with trackstore.open(backend, str(files)) as tracker:
        check_runs(tracker)
        check_models(tracker)


def check_runs(tracker: trackstore.Tracker) -> None:
    fruit = tracker.find_experiment("fruit")
    assert fruit.tags == {"team": "a"}
    assert fruit.artifact_location == f"mlflow-artifacts:/{fruit.id}"
    runs = {run.name: run for run in tracker.search_runs([fruit.id], stage=None).items}
    assert set(runs) == {"one", "two", "three"}
    assert runs["two"].lifecycle_stage == "deleted"
    assert runs["three"].tags["mlflow.note.content"] == "two\nlines: \u00e9 'q' \"d\""
    one = runs["one"]
    assert one.params.items() >= {"lr": "0.1", "opt/name": "sgd"}.items()
    assert one.status == "FINISHED"
    assert one.end_time
    assert math.isnan(one.metrics["nan"].value)
    assert (one.metrics["low"].value, one.metrics["low"].step) == (-1.5, -3)
    history = [point.value for point in tracker.iter_metric_history(one.id, "val/loss")]
    assert history == [1 / (step + 1) for step in range(5)]
    (read,) = one.inputs
    assert (read.dataset.name, read.tags) == ("apples", {"mlflow.data.context": "training"})
    assert b"".join(tracker.artifacts.at(one.artifact_uri).get("notes/n.txt")) == b"hello"
    (old,) = tracker.search_experiments(stage="deleted").items
    assert old.name == "old"
    assert len(tracker.search_runs([old.id], stage=None).items) == 1
    assert "default run" in {run.name for run in tracker.search_runs(["0"]).items}


def check_models(tracker: trackstore.Tracker) -> None:
    model = tracker.registry.get_model("net")
    assert (model.tags, model.aliases) == ({"a": "b"}, {"champion": 2})
    first, second = (tracker.registry.get_version("net", number) for number in (1, 2))
    assert (first.description, first.stage, second.stage) == ("first: one", "Staging", "None")
    logged = tracker.get_logged_model(second.model_id)
    (acc,) = [each for each in logged.metrics if each.point.key == "acc"]
    assert (acc.dataset_name, acc.point.value, acc.point.step) == ("apples", 0.5, 7)
    files = tracker.artifacts.at(tracker.registry.download_location("net", 2))
    assert "MLmodel" in {info.path for info in files.walk()}
    (output,) = tracker.get_run(logged.source_run_id).outputs
    assert output.model_id == logged.id
