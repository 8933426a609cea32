"""The plug-in's stores, called as MLflow calls them, and MLflow's command line on them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
from click.testing import CliRunner
from mlflow import entities
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry.abstract_store import AbstractStore as TheirRegistryStore
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracking import _get_store

from provision.mlflow_server import QUIET
from trackstore.mlflow_plugin import places, registry, tracking
from trackstore.mlflow_plugin.registry import RegistryStore
from trackstore.mlflow_plugin.tracking import TrackingStore

pytestmark = pytest.mark.filterwarnings("default")
"""What MLflow warns of is its own affair."""


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A tracking URI that MLflow in this process uses, without a server."""
    monkeypatch.setenv("MLFLOW_ARTIFACTS_DESTINATION", str(tmp_path / "files"))
    monkeypatch.chdir(tmp_path)
    uri = f"trackstore:sqlite:///{tmp_path}/runs.db"
    mlflow.set_tracking_uri(uri)
    yield uri
    mlflow.set_tracking_uri(None)
    places.close_all()


@pytest.fixture
def store(uri: str) -> TrackingStore:
    found = _get_store()
    assert isinstance(found, TrackingStore)
    return found


@pytest.fixture
def run_id(store: TrackingStore) -> str:
    made = store.create_run("0", "ada", 5, [entities.RunTag("t", "1")], "first")
    return made.info.run_id


def code_of(error: pytest.ExceptionInfo[MlflowException]) -> str:
    return error.value.error_code


def log(store: TrackingStore, run_id: str, key: str, *values: float) -> None:
    points = [entities.Metric(key, value, 7, step) for step, value in enumerate(values)]
    store.log_batch(run_id, points, [], [])


# Errors and what is not served


def test_errors_have_mlflows_codes(store: TrackingStore, run_id: str) -> None:
    """So that its client and server tell a mistake from a failure."""
    with pytest.raises(MlflowException) as error:
        store.get_run("0" * 32)
    assert code_of(error) == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException) as error:
        store.create_experiment("Default")
    assert code_of(error) == "RESOURCE_ALREADY_EXISTS"
    store.log_param(run_id, entities.Param("lr", "1"))
    with pytest.raises(MlflowException) as error:
        store.log_param(run_id, entities.Param("lr", "2"))
    assert code_of(error) == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException) as error:
        store.create_experiment("far", artifact_location="s3://elsewhere/x")
    assert code_of(error) == "PERMISSION_DENIED"


@pytest.mark.parametrize("uri", ["trackstore:", "trackstore:runs.db", "trackstore:nosuch://x"])
def test_a_url_that_names_no_store_is_refused(uri: str) -> None:
    """With MLflow's error, when the store is made."""
    with pytest.raises(MlflowException) as error:
        TrackingStore(uri)
    assert code_of(error) == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("kind", "base", "module"),
    [(TrackingStore, AbstractStore, tracking), (RegistryStore, TheirRegistryStore, registry)],
)
def test_every_call_of_mlflows_is_settled(kind: type, base: type, module: object) -> None:
    """It is implemented, or it finds nothing, or it is a 501: never a NotImplementedError."""
    names = {name for name in dir(base) if name[0] != "_" and callable(getattr(base, name))}
    as_in_mlflow = set(getattr(module, "_AS_IN_MLFLOW", ()))
    finds_nothing = set(module._FINDS_NOTHING)  # type: ignore[attr-defined]
    assert as_in_mlflow | finds_nothing <= names
    for name in names - as_in_mlflow:
        call = getattr(kind, name)
        assert call is not getattr(base, name), name
        if name in finds_nothing:
            found = call(None)
            assert isinstance(found, PagedList)
            assert (list(found), found.token) == ([], None)
        elif call.__name__ == name and call.__qualname__.startswith("_refusing"):
            with pytest.raises(MlflowException) as error:
                call(None)
            assert code_of(error) == "NOT_IMPLEMENTED"


# Tracking


def test_experiments_are_made_found_and_changed(store: TrackingStore) -> None:
    """A deleted one is found by a search, and not by its name."""
    ident = store.create_experiment("iris", tags=[entities.ExperimentTag("owner", "ada")])
    store.set_experiment_tag(ident, entities.ExperimentTag("task", "2"))
    store.delete_experiment_tag(ident, "owner")
    store.rename_experiment(ident, "irises")
    found = store.get_experiment_by_name("irises")
    assert found is not None
    assert (found.experiment_id, found.tags) == (ident, {"task": "2"})
    store.delete_experiment(ident)
    assert store.get_experiment_by_name("irises") is None
    assert store.get_experiment(ident).lifecycle_stage == "deleted"
    deleted = store.search_experiments(ViewType.DELETED_ONLY)
    assert [each.name for each in deleted] == ["irises"]
    store.restore_experiment(ident)
    assert len(store.search_experiments(filter_string="name LIKE 'iris%'")) == 1


def test_a_run_is_what_was_logged(store: TrackingStore, run_id: str) -> None:
    """Infinities, NaN and numpy's integers too."""
    point = entities.Metric("m", float("inf"), np.int64(7), np.int32(3))
    store.log_batch(run_id, [point, entities.Metric("n", float("nan"), 0, 0)], [], [])
    store.set_tag(run_id, entities.RunTag("u", "2"))
    store.delete_tag(run_id, "t")
    info = store.update_run_info(run_id, entities.RunStatus.FINISHED, 9, "second")
    assert (info.status, info.start_time, info.end_time) == ("FINISHED", 5, 9)
    found = store.get_run(run_id)
    assert found.info.run_name == "second"
    assert found.info.user_id == "ada"
    assert found.data.tags == {"mlflow.runName": "second", "u": "2"}
    assert found.data.metrics["m"] == float("inf")
    assert np.isnan(found.data.metrics["n"])
    assert [(each.step, each.timestamp) for each in store.get_metric_history(run_id, "m")] == [
        (3, 7)
    ]


def test_a_step_that_is_no_integer_is_refused(store: TrackingStore, run_id: str) -> None:
    """Rather than cut off."""
    with pytest.raises(MlflowException) as error:
        store.log_batch(run_id, [entities.Metric("m", 1.0, 7, 1.5)], [], [])
    assert code_of(error) == "INVALID_PARAMETER_VALUE"


def test_search_gives_pages(store: TrackingStore) -> None:
    """By filter and order, with a token that leads on."""
    for number in range(5):
        made = store.create_run("0", "", 5, [], f"run {number}")
        log(store, made.info.run_id, "m", number)
    page = store.search_runs(["0"], "metrics.m > 0", ViewType.ALL, 3, ["metrics.m DESC"], None)
    rest = store.search_runs(
        ["0"], "metrics.m > 0", ViewType.ALL, 3, ["metrics.m DESC"], page.token
    )
    assert [run.info.run_name for run in [*page, *rest]] == ["run 4", "run 3", "run 2", "run 1"]
    assert rest.token is None


def test_histories_come_whole_in_pages_and_thinned(store: TrackingStore, run_id: str) -> None:
    """A chart of a few points keeps the extremes; `max_results` holds for each run."""
    values = [float(step % 50) for step in range(400)]
    values[123], values[321] = 1000.0, -1000.0
    log(store, run_id, "m", *values)
    assert [point.value for point in store.get_metric_history(run_id, "m")] == values
    page = store.get_metric_history(run_id, "m", max_results=300)
    rest = store.get_metric_history(run_id, "m", max_results=300, page_token=page.token)
    assert [point.value for point in [*page, *rest]] == values
    other = store.create_run("0", "", 5, [], "other").info.run_id
    log(store, other, "m", 1, 2)
    bulk = store.get_metric_history_bulk([run_id, other], "m", 401)
    assert [(each.run_id, each.step) for each in bulk[399:]] == [(run_id, 399), (other, 0)]
    thin = store.get_metric_history_bulk_interval([run_id, other], "m", 40, None, None)
    assert {1000.0, -1000.0} <= {each.value for each in thin}
    assert 0 < sum(each.run_id == run_id for each in thin) <= 40
    assert [each.step for each in thin if each.run_id == other] == [0, 1]
    part = store.get_metric_history_bulk_interval([run_id], "m", 400, 10, 19)
    assert [each.step for each in part] == list(range(10, 20))
    assert len(store.get_metric_history_bulk_interval([run_id], "m", 1, None, None)) == 1


def test_inputs_outputs_and_datasets(store: TrackingStore, run_id: str) -> None:
    """What a run read and wrote comes back, and the datasets of an experiment are listed."""
    data = entities.Dataset("wine", "d1", "http", "{}", schema="s", profile="p")
    tags = [entities.InputTag("mlflow.data.context", "training")]
    store.log_inputs(
        run_id, [entities.DatasetInput(data, tags)], [entities.LoggedModelInput("m-1")]
    )
    store.log_outputs(run_id, [entities.LoggedModelOutput("m-2", 4)])
    found = store.get_run(run_id)
    (read,) = found.inputs.dataset_inputs
    assert (read.dataset, [tag.value for tag in read.tags]) == (data, ["training"])
    assert [each.model_id for each in found.inputs.model_inputs] == ["m-1"]
    assert [(each.model_id, each.step) for each in found.outputs.model_outputs] == [("m-2", 4)]
    (summary,) = store._search_datasets(["0"])
    assert (summary.name, summary.digest, summary.context) == ("wine", "d1", "training")


def test_models_of_old_clients_are_noted(store: TrackingStore, run_id: str) -> None:
    """In the tag that MLflow's pages read."""
    for number in range(2):
        store.record_logged_model(run_id, mlflow.models.Model(artifact_path=f"m{number}"))
    noted = json.loads(store.get_run(run_id).data.tags["mlflow.log-model.history"])
    assert [each["artifact_path"] for each in noted] == ["m0", "m1"]


def test_a_forked_process_has_a_connection_of_its_own(uri: str, tmp_path: Path) -> None:
    """A store that a parent used goes on working in its children, and in itself."""
    program = """
import os, mlflow
client = mlflow.MlflowClient()
run_id = client.create_run("0").info.run_id
children = []
for number in range(4):
    children.append(os.fork())
    if children[-1] == 0:
        for step in range(20):
            client.log_metric(run_id, f"child {number}", step, step=step)
        os._exit(0)
for step in range(20):
    client.log_metric(run_id, "parent", step, step=step)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
keys = client.get_run(run_id).data.metrics
print(sum(len(client.get_metric_history(run_id, key)) for key in keys))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **QUIET, "MLFLOW_TRACKING_URI": uri},
    )
    assert done.stdout == "100\n", done.stderr


# Artifacts


def test_artifacts_without_a_server(uri: str, tmp_path: Path) -> None:
    """They go where a server in this folder would put them, and come back."""
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "a.txt").write_text("a")
    (source / "linked.txt").symlink_to(source / "sub" / "a.txt")
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/b.txt")
        mlflow.log_artifacts(str(source), "tree")
        location = run.info.artifact_uri
    assert location == f"trackstore:mlflow-artifacts:/0/{run.info.run_id}/artifacts"
    kept = tmp_path / "files" / "0" / run.info.run_id / "artifacts"
    assert (kept / "notes" / "b.txt").read_text() == "hello"
    repository = get_artifact_repository(location)
    assert [each.path for each in repository.list_artifacts()] == ["notes", "tree"]
    assert [(each.path, each.file_size) for each in repository.list_artifacts("tree")] == [
        ("tree/linked.txt", 1),
        ("tree/sub", None),
    ]
    assert repository.list_artifacts("notes/b.txt") == []
    local = mlflow.artifacts.download_artifacts(artifact_uri=f"{location}/tree")
    assert Path(local, "sub", "a.txt").read_text() == "a"
    with pytest.raises(MlflowException) as error:
        mlflow.artifacts.download_artifacts(artifact_uri=f"{location}/none")
    assert "None" not in str(error.value)
    repository.delete_artifacts("notes/b.txt")
    repository.delete_artifacts()
    assert not kept.exists()


def test_locations_are_shown_as_mlflow_can_resolve_them(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By our repository without a server, by the server where there is one."""
    proxied = "mlflow-artifacts:/0/r/artifacts"
    assert places.shown(proxied) == f"trackstore:{proxied}"
    assert places.stored(f"trackstore:{proxied}") == proxied
    assert places.shown("s3://bucket/0") == "s3://bucket/0"
    assert places.shown("nosuch://place/0") == "trackstore:nosuch://place/0"
    mlflow.set_tracking_uri("http://localhost:5000")
    assert places.shown(proxied) == proxied
    mlflow.set_tracking_uri(uri)
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", "mlflow-artifacts:/")
    assert places.shown(proxied) == proxied


def test_a_location_may_be_chosen_under_roots_that_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `trackstore server --allow-artifact-root` allows them; a plain path is a folder."""
    monkeypatch.setenv("TRACKSTORE_ALLOWED_ARTIFACT_ROOTS", f"s3://a, {tmp_path}/own")
    store = TrackingStore(f"trackstore:sqlite:///{tmp_path}/runs.db")
    ident = store.create_experiment("x", artifact_location=f"{tmp_path}/own/x")
    assert store.get_experiment(ident).artifact_location == (tmp_path / "own" / "x").as_uri()
    places.close_all()


# The command line


def invoke(*arguments: str) -> str:
    from mlflow.cli import cli  # noqa: PLC0415 - it warns, which only tests may ignore

    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_the_command_line_lists_runs_and_artifacts(uri: str, tmp_path: Path) -> None:
    """`experiments csv`, `runs list`, `artifacts log-artifact`, `list` and `download`."""
    with mlflow.start_run(run_name="a run") as run:
        mlflow.log_metric("loss", 0.25)
    ident = run.info.run_id
    assert f"{ident}" in invoke("runs", "list", "--experiment-id", "0")
    rows = invoke("experiments", "csv", "--experiment-id", "0")
    assert ident in rows
    assert "loss" in rows
    (tmp_path / "note.txt").write_text("kept")
    invoke("artifacts", "log-artifact", "-l", str(tmp_path / "note.txt"), "-r", ident, "-a", "n")
    listed = json.loads(invoke("artifacts", "list", "-r", ident, "-a", "n"))
    assert [each["path"] for each in listed] == ["n/note.txt"]
    place = tmp_path / "downloaded"
    invoke("artifacts", "download", "-r", ident, "-a", "n", "-d", str(place))
    assert (place / "n" / "note.txt").read_text() == "kept"


def test_gc_erases_what_was_deleted(uri: str, tmp_path: Path) -> None:
    """Runs, experiments with their runs, and their files, wherever the option says they are."""
    files = tmp_path / "elsewhere"
    environment = {**os.environ, **QUIET, "MLFLOW_ARTIFACTS_DESTINATION": str(files)}
    program = """
import mlflow
kept, doomed, whole = (mlflow.create_experiment(name) for name in ("kept", "doomed", "whole"))
for experiment in (kept, kept, doomed, whole):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text("hello", "a.txt")
    if experiment == kept:
        last = run.info.run_id
mlflow.delete_run(last)
mlflow.delete_experiment(doomed)
"""
    command = [sys.executable, "-c", program]
    subprocess.run(command, env=environment, check=True, timeout=120, cwd=tmp_path)
    del environment["MLFLOW_ARTIFACTS_DESTINATION"]
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", uri]
    command += ["--artifacts-destination", str(files)]
    ran = subprocess.run(
        [*command, "--older-than", "1d"],
        env=environment,
        check=True,
        timeout=120,
        cwd=tmp_path,
        capture_output=True,
    )
    assert b"permanently deleted" not in ran.stdout
    assert len(list(files.rglob("a.txt"))) == 4
    subprocess.run(command, env=environment, check=True, timeout=120, cwd=tmp_path)
    store = TrackingStore(uri)
    found = store.search_experiments(ViewType.ALL)
    assert {each.name for each in found} == {"Default", "kept", "whole"}
    runs = store.search_runs([each.experiment_id for each in found], "", ViewType.ALL)
    assert len(runs) == 2
    assert len(list(files.rglob("a.txt"))) == 2
