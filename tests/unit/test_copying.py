"""A copy of one store in another: whole, repeatable, checked, and never over something else."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import trackstore
from trackstore import Metric
from trackstore.cli.commands import app
from trackstore.copying.copier import Copier
from trackstore.copying.places import Leave
from trackstore.copying.source import StoreSource
from trackstore.copying.verifying import Verifier
from trackstore.errors import BackendError, Conflict, InvalidRequest, NotFound
from trackstore.model import Batch, MetricLink, RunChanges
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

ALL = {"stage": None}


@pytest.fixture
def source(tmp_path: Path) -> Iterator[trackstore.Tracker]:
    with trackstore.open(f"sqlite:///{tmp_path}/a.db", f"{tmp_path}/a") as tracker:
        fill(tracker)
        yield tracker


@pytest.fixture
def target(tmp_path: Path) -> Iterator[BackendStore]:
    with open_backend_store(f"sqlite:///{tmp_path}/b.db") as store:
        yield store


def fill(tracker: trackstore.Tracker) -> None:
    """Runs of all kinds in experiments of all kinds, two of which had one name."""
    old = tracker.create_experiment("fruit")
    tracker.log(tracker.create_run(old.id, name="old").id, metrics=[Metric("m", 1.0, 5)])
    tracker.delete_run(tracker.create_run(old.id, name="older").id)
    tracker.delete_experiment(old.id)
    new = tracker.create_experiment("fruit", tags={"team": "a"})
    run = tracker.create_run(new.id, name="one", user_id="ada", start_time=7, tags={"t": "1"})
    model = tracker.create_logged_model(new.id, name="net", source_run_id=run.id, params={"d": "3"})
    link = MetricLink(model.id, "apples", "x1")
    points = [Metric("m", value, 9, step) for step, value in enumerate((0.5, math.nan, math.inf))]
    points += [Metric(f"k{number}", number, 9, number) for number in range(30)]
    data = trackstore.DatasetInput(trackstore.Dataset("apples", "x1"), {"c": "training"})
    tracker.log(
        run.id,
        metrics=[*points, Metric("acc", 0.75, 9, 1, (link,))],
        params={"lr": "0.1"},
        inputs=[data],
        model_inputs=[model.id],
    )
    tracker.end_run(run.id)
    tracker.delete_run(tracker.create_run(new.id, name="two").id)
    tracker.artifacts.at(run.artifact_uri).put("notes/a.txt", [b"hello"])
    tracker.artifacts.at(model.artifact_uri).put("MLmodel", [b"flavors"])
    tracker.create_run("0", name="three")
    models = tracker.registry
    models.create_model("net", description="d", tags={"a": "b"})
    for _ in range(3):
        models.create_version("net", f"models:/{model.id}", tags={"v": "1"})
    models.delete_version("net", 2)
    models.set_alias("net", "champion", 3)
    models.move_version("net", 1, "Staging")


def copied(source: trackstore.Tracker, target: BackendStore) -> Verifier:
    copier = Copier(StoreSource(source.store), target, Leave())
    copier.check()
    copier.copy()
    return Verifier(StoreSource(source.store), target, Leave())


def test_all_of_a_store_arrives(source: trackstore.Tracker, target: BackendStore) -> None:
    """With ids, times, what is deleted, links of points, models, versions and aliases."""
    found = copied(source, target).verify()
    assert found.differences == []
    assert found.points == 35
    copy = trackstore.Tracker(target, source.artifacts)
    for experiment in source.search_experiments(**ALL).items:
        assert copy.get_experiment(experiment.id) == experiment
        runs = source.search_runs([experiment.id], **ALL).items
        for run in runs:
            there = copy.get_run(run.id)
            assert there.metrics.keys() == run.metrics.keys()
            assert (there.name, there.params, there.inputs) == (run.name, run.params, run.inputs)
            assert there.deleted_time == run.deleted_time
            for key in run.metrics:
                mine, its = (list(t.iter_metric_history(run.id, key)) for t in (source, copy))
                assert repr(mine) == repr(its)
    assert copy.registry.get_model("net") == source.registry.get_model("net")
    assert copy.registry.create_version("net", "mlflow-artifacts:/x").version == 4
    with pytest.raises(NotFound):
        copy.registry.get_version("net", 2)


def test_a_copy_may_be_repeated(source: trackstore.Tracker, target: BackendStore) -> None:
    """And then nothing is written twice, nor lost."""
    copied(source, target)
    source.log_metric(source.create_run("0").id, "m", 1)
    assert copied(source, target).verify().differences == []


@pytest.mark.parametrize("after", [1, 3, 5, 8, 12, 16])
def test_an_interrupted_copy_goes_on(
    source: trackstore.Tracker, target: BackendStore, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was interrupted."""
    left = iter(range(after))

    def failing(name: str) -> None:
        real = getattr(target, name)

        def call(*args: object) -> object:
            if next(left, None) is None:
                raise BackendError("pulled out")
            return real(*args)

        monkeypatch.setattr(target, name, call)

    for name in ("create_experiment", "create_run", "log", "update_run", "create_model_version"):
        failing(name)
    with pytest.raises(BackendError):
        copied(source, target)
    monkeypatch.undo()
    assert copied(source, target).verify().differences == []


def test_what_is_another_in_the_target_is_refused_first(
    source: trackstore.Tracker, target: BackendStore
) -> None:
    """By name or by id, with all of them named, and nothing written."""
    other = trackstore.Tracker(target, source.artifacts)
    other.create_experiment("fruit")
    other.registry.create_model("net")
    with pytest.raises(Conflict) as error:
        copied(source, target)
    assert "'fruit'" in str(error.value)
    assert "'net'" in str(error.value)
    assert [each.name for each in other.search_experiments(**ALL).items] == ["fruit"]


def test_a_difference_is_found(source: trackstore.Tracker, target: BackendStore) -> None:
    """In a point, in a field, in a run that is gone."""
    verifier = copied(source, target)
    fruit = source.find_experiment("fruit").id
    one = source.search_runs([fruit], "attributes.run_name = 'one'").items[0].id
    target.log(one, Batch(metrics=[Metric("m", 0.25, 9, 1)]))
    three = source.search_runs(["0"]).items[0].id
    target.update_run(three, RunChanges(end_time=77))
    two = source.search_runs([fruit], stage="deleted").items[0].id
    target.purge_run(two)
    assert sorted(verifier.verify().differences) == sorted(
        [f"run {two} is missing", f"run {three}", f"the points of run {one}"]
    )


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["copy", *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_artifacts_are_copied_to_another_store(source: trackstore.Tracker, tmp_path: Path) -> None:
    """And rows lead to them there."""
    files = f"{tmp_path}/b"
    url = f"file://{tmp_path}/records"
    said = run(
        f"sqlite:///{tmp_path}/a.db",
        url,
        "--artifacts-from",
        f"{tmp_path}/a",
        "--artifacts-to",
        files,
    )
    assert "2 files" in said
    assert "agree" in said
    with trackstore.open(url, files) as copy:
        fruit = copy.find_experiment("fruit")
        (one,) = copy.search_runs([fruit.id]).items
        assert b"".join(copy.artifacts.at(one.artifact_uri).get("notes/a.txt")) == b"hello"
        place = copy.registry.download_location("net", 3)
        assert b"".join(copy.artifacts.at(place).get("MLmodel")) == b"flavors"


def test_an_empty_source_is_no_source(tmp_path: Path) -> None:
    """A mistyped URL is told, and not a copy of nothing."""
    done = CliRunner().invoke(app, ["copy", "memory://a", f"sqlite:///{tmp_path}/b.db"])
    assert done.exit_code == 1
    assert "no experiments" in done.output
    assert not (tmp_path / "b.db").exists()


@pytest.mark.parametrize("place", ["/nowhere", "sqlite:////nowhere.db", "oracle://x/y"])
def test_what_is_not_mlflows_is_told(place: str) -> None:
    """With an error of ours."""
    from trackstore.copying.opening import open_source  # noqa: PLC0415

    with pytest.raises((InvalidRequest, BackendError)):
        open_source(f"mlflow:{place}")
