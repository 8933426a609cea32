"""The index can be lost, old or broken at any time, and the journal grows no dead weight."""

from collections.abc import Callable
from pathlib import Path

import pytest
from record_steps import HOME, log, purge, steps_of

from trackstore.errors import NotFound
from trackstore.model import (
    Batch,
    Dataset,
    DatasetInput,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    MetricLink,
    Run,
    RunChanges,
)
from trackstore_backends.records import FileBackendStore
from trackstore_backends.records.journal import Journal
from trackstore_backends.records.view import View

Open = Callable[[], FileBackendStore]
DELETED = LifecycleStage.DELETED


@pytest.fixture(autouse=True)
def _always(always_indexed: None) -> None:
    """All tests of this module write the index after each write."""


@pytest.fixture
def index(journal: Path) -> Path:
    return journal.with_name("index")


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where the frames are that are read to bring views up to date."""
    starts: list[int] = []
    passed = View.passed

    def count(view: View, frame: object) -> None:
        starts.append(frame.start)  # type: ignore[attr-defined]
        passed(view, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(View, "passed", count)
    return starts


def test_a_process_that_comes_later_reads_only_what_the_index_has_not(
    store: FileBackendStore, opened: Open, index: Path, applied: list[int]
) -> None:
    """All of the index, and no record twice."""
    log(store, 1)
    old = index.read_bytes()
    log(store, 2)
    applied.clear()
    assert steps_of(opened()) == [1, 2]
    assert applied == []
    index.write_bytes(old)
    assert steps_of(opened()) == [1, 2]
    assert len(applied) == 1


def test_an_index_that_is_gone_is_made_again(
    store: FileBackendStore, opened: Open, index: Path, applied: list[int]
) -> None:
    """The next write makes it; what is read is the same all the time."""
    log(store, 1)
    index.unlink()
    handle = opened()
    assert steps_of(handle) == [1]
    assert not index.exists()
    log(handle, 2)
    applied.clear()
    assert steps_of(opened()) == [1, 2]
    assert applied == []


def test_an_index_with_any_byte_wrong_is_not_used(
    store: FileBackendStore, opened: Open, index: Path, applied: list[int]
) -> None:
    """Nor one that is cut off, of another version, or of another journal."""
    log(store, 1)
    good = index.read_bytes()
    wrong = [bytes([*good[:at], good[at] ^ 1, *good[at + 1 :]]) for at in range(len(good))]
    for content in [*wrong, good[:-1], good[:50], b""]:
        index.write_bytes(content)
        applied.clear()
        assert steps_of(opened()) == [1]
        assert len(applied) == 3
    log(opened(), 2)
    applied.clear()
    assert steps_of(opened()) == [1, 2]
    assert applied == []


def test_an_index_that_says_more_than_the_journal_is_not_used(
    store: FileBackendStore, opened: Open, index: Path, journal: Path
) -> None:
    """A loss of power may take the end of the journal, and not the index that had read it."""
    log(store, 1)
    before = journal.read_bytes()
    log(store, 2)
    ahead = index.read_bytes()
    journal.write_bytes(before)
    assert steps_of(opened()) == [1]
    log(opened(), 3)
    index.write_bytes(ahead)
    assert steps_of(opened()) == [1, 3]
    assert steps_of(store) == [1, 3]


def test_an_index_that_cannot_be_written_fails_no_call(
    store: FileBackendStore, opened: Open, index: Path
) -> None:
    """What is in its place stays there, and every process reads the journal."""
    index.unlink()
    index.mkdir()
    log(store, 1)
    assert steps_of(opened()) == [1]


def test_a_purge_gives_back_the_space(store: FileBackendStore, opened: Open, journal: Path) -> None:
    """Nothing of the run is left in any file, and everything else reads as before."""
    other = opened()
    store.create_run(Run("gone", "1", 8, "uri"))
    data, later = Dataset("d", "1", source="first"), Dataset("d", "1", source="second")
    store.log(
        "gone", Batch([Metric("m", 1.5, 1)], {"p": "s3cret" * 900}, inputs=[DatasetInput(data)])
    )
    store.create_run(Run("deleted", "1", 9, "uri"))
    for run_id in ("r", "deleted"):
        store.log(run_id, Batch([Metric("linked", 1, 1, 1, (MetricLink("model"),))]))
        store.log(run_id, Batch([Metric("linked", 1, 1, 1, (MetricLink("again"),))]))
    store.update_run("deleted", RunChanges(lifecycle_stage=DELETED, deleted_time=5))
    log(store, 1)
    names = ("linked", "m")
    before = [
        (other.get_run(run), [other.metric_history(run, name, None, 9) for name in names])
        for run in ("r", "deleted")
    ]
    size = journal.stat().st_size
    purge(store, "gone")
    assert journal.stat().st_size < size - 1_000
    assert not any(b"s3cret" in file.read_bytes() for file in journal.parent.iterdir())
    for handle in (store, other, opened()):
        assert before == [
            (handle.get_run(run), [handle.metric_history(run, name, None, 9) for name in names])
            for run in ("r", "deleted")
        ]
        with pytest.raises(NotFound):
            handle.get_run("gone")
    other.log("r", Batch(inputs=[DatasetInput(later)]))
    assert store.get_run("r").inputs == (DatasetInput(data),)


def test_a_purged_experiment_takes_its_records_along(
    store: FileBackendStore, opened: Open, journal: Path
) -> None:
    """Its name and ids were free before; now its bytes are gone too."""
    log(store, 1)
    store.log("r", Batch(params={"long": "x" * 2_000}))
    store.update_experiment("1", ExperimentChanges(lifecycle_stage=DELETED))
    store.purge_experiment("1")
    assert journal.stat().st_size < 200
    for handle in (store, opened()):
        with pytest.raises(NotFound):
            handle.get_experiment("1")
        assert handle.scan_runs("1", None, None, 9).items == []
    assert store.create_experiment(HOME) == opened().get_experiment("1")


def test_a_rewritten_journal_is_another_journal(
    store: FileBackendStore, opened: Open, journal: Path
) -> None:
    """Its header differs, so no index and no handle takes it for the one before."""
    names = set()
    for number in range(3):
        store.create_run(Run(f"x{number}", "1", 8, "uri"))
        store.log(f"x{number}", Batch(params={"long": "x" * 2_000}))
        purge(store, f"x{number}")
        with journal.open("rb") as file:
            names.add(Journal(file.fileno()).header)
        log(opened(), number)
        assert steps_of(store) == list(range(number + 1))
    assert len(names) == 3
