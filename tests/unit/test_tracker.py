"""The front: ids, defaults and checks, over a store in memory."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import trackstore
from trackstore import ids
from trackstore.errors import AlreadyExists, InvalidRequest, InvalidState, LimitExceeded, NotFound
from trackstore.model import Experiment, ExperimentChanges, LifecycleStage, Metric
from trackstore.tracker import Tracker


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    with trackstore.open("memory:", "memory:") as tracker:
        yield tracker


def test_the_default_experiment_is_there(tracker: Tracker) -> None:
    """Experiment "0" is made at open; it may be renamed and deleted, and never purged."""
    default = tracker.get_experiment("0")
    assert (default.name, default.artifact_location) == ("Default", "mlflow-artifacts:/0")
    tracker.rename_experiment("0", "Other")
    tracker.delete_experiment("0")
    with pytest.raises(InvalidState, match="not purged"):
        tracker.purge_experiment("0")


def test_the_artifact_root_is_kept(tmp_path: Path) -> None:
    """The root of the first start serves later ones; another one given applies to what is new."""
    url, root = "memory://kept", f"file://{tmp_path}/first"
    with trackstore.open(url, "memory:", artifact_root=root) as tracker:
        assert tracker.get_experiment("0").artifact_location == f"{root}/0"
    with trackstore.open(url, "memory:") as tracker:
        made = tracker.create_experiment("a")
        assert made.artifact_location == f"{root}/{made.id}"
    with trackstore.open(url, "memory:", artifact_root=f"file://{tmp_path}/second") as tracker:
        made = tracker.create_experiment("b")
        assert made.artifact_location == f"file://{tmp_path}/second/{made.id}"
        run = tracker.create_run(tracker.find_experiment("a").id)
        assert run.artifact_uri.startswith(root)
        assert tracker.artifacts.at(run.artifact_uri).list().items == []


def test_experiments_live_and_die(tracker: Tracker) -> None:
    """Create, find, rename, tag, delete, restore, purge."""
    made = tracker.create_experiment("vision", tags={"team": "a"})
    assert re.fullmatch(r"\d{1,19}", made.id)
    assert int(made.id) < 2**63
    assert tracker.find_experiment("vision") == made
    with pytest.raises(AlreadyExists):
        tracker.create_experiment("vision")
    tracker.rename_experiment(made.id, "Vision")
    tracker.set_experiment_tags(made.id, {"team": "b", "x": "y"})
    tracker.delete_experiment_tag(made.id, "x")
    with pytest.raises(NotFound, match="tag 'x'"):
        tracker.delete_experiment_tag(made.id, "x")
    assert tracker.get_experiment(made.id).tags == {"team": "b"}
    tracker.delete_experiment(made.id)
    with pytest.raises(NotFound):
        tracker.find_experiment("Vision")
    other = tracker.create_experiment("Vision")
    with pytest.raises(AlreadyExists):
        tracker.restore_experiment(made.id)
    with pytest.raises(InvalidState):
        tracker.set_experiment_tags(made.id, {"a": "b"})
    tracker.rename_experiment(other.id, "vision")
    tracker.restore_experiment(made.id)
    assert tracker.get_experiment(made.id).lifecycle_stage is LifecycleStage.ACTIVE


def test_get_or_create_gives_all_callers_the_same(tracker: Tracker) -> None:
    """B-EXP-04, with threads; the suite does it with processes."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: tracker.get_or_create_experiment("one").id, range(64)))
    assert len(found) == 1


def test_a_taken_id_is_drawn_again(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collision of ids is no error of the caller."""
    drawn = iter(["0", "0", "5"])
    monkeypatch.setattr(ids, "new_experiment_id", lambda: next(drawn))
    assert tracker.create_experiment("a").id == "5"


def test_a_deletion_between_find_and_create_is_survived(tracker: Tracker) -> None:
    """`get_or_create_experiment` looks again when the name was taken in between."""
    store, real_find = tracker.store, tracker.store.find_experiment

    def find_late(name: str) -> Experiment:
        store.find_experiment = real_find  # type: ignore[method-assign]
        store.create_experiment(Experiment("9", name, "x:/9", 1, 1))
        raise NotFound("not yet")

    store.find_experiment = find_late  # type: ignore[method-assign]
    assert tracker.get_or_create_experiment("raced").id == "9"
    store.update_experiment("9", ExperimentChanges(lifecycle_stage=LifecycleStage.DELETED))


def test_runs_get_ids_names_and_times(tracker: Tracker) -> None:
    """The front makes what was not given, and a name that is given twice must agree."""
    run = tracker.create_run("0")
    assert re.fullmatch(r"[0-9a-f]{32}", run.id)
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d+", run.name)
    assert run.artifact_uri == f"mlflow-artifacts:/0/{run.id}/artifacts"
    assert run.start_time > 1_700_000_000_000
    assert tracker.create_run("0", name="a").tags == {"mlflow.runName": "a"}
    assert tracker.create_run("0", tags={"mlflow.runName": "b"}).name == "b"
    assert tracker.create_run("0", name="c", tags={"mlflow.runName": "c"}).name == "c"
    with pytest.raises(InvalidRequest, match="differ"):
        tracker.create_run("0", name="a", tags={"mlflow.runName": "b"})
    with pytest.raises(NotFound):
        tracker.create_run("12345")


def test_runs_end_and_resume(tracker: Tracker) -> None:
    """Any status may follow any other, an empty name changes nothing."""
    run = tracker.create_run("0", name="a")
    tracker.end_run(run.id)
    ended = tracker.get_run(run.id)
    assert ended.status == "FINISHED"
    assert ended.end_time
    assert ended.end_time >= run.start_time
    tracker.update_run(run.id, status="RUNNING", name="")
    assert tracker.get_run(run.id).status == "RUNNING"
    assert tracker.get_run(run.id).name == "a"
    tracker.update_run(run.id, name="b")
    assert tracker.get_run(run.id).name == "b"


def test_deleted_runs_take_nothing(tracker: Tracker) -> None:
    """B-RUN-02: refused until restored; a purge needs a deletion first."""
    run = tracker.create_run("0")
    with pytest.raises(InvalidState):
        tracker.purge_run(run.id)
    tracker.delete_run(run.id)
    for call in (
        lambda: tracker.log_metric(run.id, "m", 1.0),
        lambda: tracker.set_tag(run.id, "t", "x"),
        lambda: tracker.update_run(run.id, status="FAILED"),
    ):
        with pytest.raises(InvalidState):
            call()
    assert tracker.get_run(run.id).deleted_time
    tracker.restore_run(run.id)
    assert tracker.get_run(run.id).deleted_time is None
    tracker.log_metric(run.id, "m", 1.0)
    tracker.delete_run(run.id)
    tracker.purge_run(run.id)
    with pytest.raises(NotFound):
        tracker.get_run(run.id)


def test_history_comes_in_pages(tracker: Tracker) -> None:
    """B-MET-06: by step, time and value; a token of another metric is refused."""
    run = tracker.create_run("0")
    points = [Metric("m", float(value), 1, step) for step in (3, 1, 2) for value in (2, 1)]
    tracker.log(run.id, metrics=points)
    first = tracker.metric_history(run.id, "m", limit=4)
    rest = tracker.metric_history(run.id, "m", limit=4, page_token=first.next)
    found = [(point.step, point.value) for point in (*first.items, *rest.items)]
    assert found == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert rest.next is None
    with pytest.raises(InvalidRequest, match="another query"):
        tracker.metric_history(run.id, "other", page_token=first.next)
    assert len(list(tracker.iter_metric_history(run.id, "m"))) == 6


def test_histories_in_bulk(tracker: Tracker) -> None:
    """Columns have tokens that lead on, also from pages of points; a chart keeps to its steps."""
    run = tracker.create_run("0")
    tracker.log(run.id, metrics=[Metric("m", float(n % 10), n, n) for n in range(100)])
    first = tracker.metric_columns(run.id, "m", limit=60)
    rest = tracker.metric_columns(run.id, "m", page_token=first.next)
    assert [*first.steps, *rest.steps] == list(range(100))
    assert rest.next is None
    token = tracker.metric_history(run.id, "m", limit=60).next
    assert tracker.metric_columns(run.id, "m", page_token=token) == rest
    pages = list(tracker.iter_metric_columns(run.id, "m"))
    assert [value for page in pages for value in page.values] == [n % 10 for n in range(100)]
    assert list(tracker.downsample_metric(run.id, "m", points=4).steps) == [0, 9, 99]
    part = tracker.downsample_metric(run.id, "m", first_step=7, last_step=9)
    assert list(part.steps) == [7, 8, 9]
    assert part.next is None


@pytest.mark.parametrize(
    "asked",
    [
        {"points": 1},
        {"points": 25_001},
        {"points": True},
        {"first_step": 2**63},
        {"last_step": 1.0},
    ],
)
def test_charts_that_make_no_sense_are_refused(tracker: Tracker, asked: dict[str, int]) -> None:
    """What is wrong is told before the store is asked."""
    run = tracker.create_run("0")
    with pytest.raises(InvalidRequest):
        tracker.downsample_metric(run.id, "m", **asked)
    with pytest.raises(InvalidRequest):
        tracker.metric_columns(run.id, "m", limit=250_001)


def test_tags_are_deleted_once(tracker: Tracker) -> None:
    """Harmless in a batch, which reports it; by itself it is `NotFound`."""
    run = tracker.create_run("0", tags={"t": "x"})
    tracker.delete_tag(run.id, "t")
    with pytest.raises(NotFound):
        tracker.delete_tag(run.id, "t")
    assert tracker.log(run.id, deleted_tags=["t"]).absent_tags == ("t",)


def test_searches_come_in_pages(tracker: Tracker) -> None:
    """A token leads on; the numbers of rows and of experiments are limited."""
    made = [tracker.create_run("0", start_time=n).id for n in range(5)]
    first = tracker.search_runs(["0"], limit=3)
    rest = tracker.search_runs(["0"], limit=3, page_token=first.next)
    assert [run.id for run in (*first.items, *rest.items)] == made[::-1]
    assert [each.id for each in tracker.search_experiments(limit=1).items] == ["0"]
    for limit in (0, -1, 50_001, True, "5"):
        with pytest.raises(InvalidRequest):
            tracker.search_runs(["0"], limit=limit)  # type: ignore[arg-type]
    with pytest.raises(LimitExceeded):
        tracker.search_runs(["0"] * 10_001)
    with pytest.raises(InvalidRequest, match="list of ids"):
        tracker.search_runs("0")


def test_a_closed_tracker_says_so() -> None:
    """Closing twice is fine, calling afterwards is `InvalidState`."""
    tracker = trackstore.open("memory:", "memory:")
    tracker.close()
    tracker.close()
    with pytest.raises(InvalidState, match="closed"):
        tracker.get_experiment("0")


def test_a_purged_experiment_takes_no_run(tracker: Tracker) -> None:
    """What is remembered of an experiment never makes one appear that is gone."""
    made = tracker.create_experiment("a")
    tracker.create_run(made.id)
    tracker.delete_experiment(made.id)
    with pytest.raises(InvalidState):
        tracker.create_run(made.id)
    tracker.purge_experiment(made.id)
    with pytest.raises(NotFound):
        tracker.create_run(made.id)
