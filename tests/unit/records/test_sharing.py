"""Threads and processes on one folder, and disks that fail while others look on."""

import errno
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from record_steps import HOME, log, steps_of

from provision.racing import judge, race
from trackstore.errors import (
    BackendError,
    Conflict,
    InvalidRequest,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.model import Batch, Metric
from trackstore_backends.file import FileArtifactStore
from trackstore_backends.file.tree import sync
from trackstore_backends.records import FileBackendStore, lock, records
from trackstore_backends.records import journal as journals

Open = Callable[[], FileBackendStore]


def test_eight_processes_start_at_once(folder: Path, opened: Open) -> None:
    """All succeed on a new folder; one gets the name, one the param; no point is lost."""
    race(folder.as_uri())
    judge(opened())


def log_for_ever(url: str, acknowledged: Any) -> None:
    store = FileBackendStore.from_url(url)
    for step in range(1_000_000):
        log(store, step)
        os.write(acknowledged, b"%d\n" % step)


def test_a_killed_writer_leaves_the_lock_and_all_it_acknowledged(
    store: FileBackendStore, folder: Path
) -> None:
    """Other handles go on at once, without anything that was told to be there missing."""
    for _ in range(5):
        before = len(steps_of(store))
        read, write = os.pipe()
        process = multiprocessing.get_context("fork").Process(
            target=log_for_ever, args=(folder.as_uri(), write)
        )
        process.start()
        os.close(write)
        with os.fdopen(read) as acknowledged:
            for _ in range(before + 20):
                last = int(acknowledged.readline())
            os.kill(process.pid or 0, signal.SIGKILL)
            last = max([last, *map(int, acknowledged.read().split())])
        process.join()
        steps = steps_of(store)
        assert steps == list(range(len(steps)))
        assert len(steps) in {last + 1, last + 2}
        log(store, len(steps))


def test_a_writer_does_not_wait_for_ever(
    store: FileBackendStore, opened: Open, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another handle keeps the lock, reads go on; a write gives up in time."""
    monkeypatch.setattr(lock, "WAIT", 0.05)
    with lock.locked(os.open(journal.with_name("lock"), os.O_RDWR)):
        with pytest.raises(Unavailable) as caught:
            log(store, 1)
        assert caught.value.outcome == "none"
        assert steps_of(opened()) == []
    log(store, 1)
    assert steps_of(opened()) == [1]


def test_calls_that_wait_share_one_sync(
    store: FileBackendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six calls arrive while one is being synced: two syncs in all, and each has its answer."""
    syncs: list[int] = []
    is_under_way, may_go_on = threading.Event(), threading.Event()

    def slow(file: int) -> None:
        syncs.append(file)
        is_under_way.set()
        assert may_go_on.wait(10)
        sync(file)

    monkeypatch.setattr(records, "sync", slow)
    found: dict[int, object] = {}

    def call(step: int) -> None:
        value = "odd" if step == 5 else "v"
        try:
            found[step] = store.log("r", Batch([Metric("m", 1, 9, step)], {"p": value}))
        except TrackstoreError as error:
            found[step] = error

    threads = [threading.Thread(target=call, args=(step,)) for step in range(7)]
    threads[0].start()
    assert is_under_way.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(store._group._queue) < 6:
        pass
    may_go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(syncs) == 2
    assert isinstance(found.pop(5), Conflict)
    steps = [point.step for point in store.metric_history("r", "m", None, 9).items]
    assert steps == sorted(found) == [0, 1, 2, 3, 4, 6]


def test_a_write_that_did_not_reach_the_disk_is_undone_for_all_who_saw_it(
    store: FileBackendStore, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its outcome is unknown; those who had read it find what was written in its place."""
    log(store, 1)
    other = opened()

    def fail(file: int) -> None:
        assert steps_of(other) == [1, 2]
        raise OSError(errno.EIO, "injected")

    monkeypatch.setattr(records, "sync", fail)
    with pytest.raises(BackendError, match="the disk failed") as caught:
        log(store, 2)
    assert caught.value.outcome == "unknown"
    monkeypatch.undo()
    log(store, 3)
    assert steps_of(other) == steps_of(store) == steps_of(opened()) == [1, 3]
    log(other, 4)
    assert steps_of(store) == [1, 3, 4]


@pytest.mark.parametrize("written", [0, 1, 30, 100])
def test_a_full_disk_keeps_what_there_is(
    store: FileBackendStore, opened: Open, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """However much of a record fits, nothing of it is there, and the next one is."""
    log(store, 1)
    pwrite = os.pwrite
    left = [written]

    def full(file: int, data: bytes, at: int) -> int:
        if not left:
            raise OSError(errno.ENOSPC, "injected")
        return pwrite(file, data[: left.pop()], at)

    with monkeypatch.context() as patch:
        patch.setattr(journals.os, "pwrite", full)
        with pytest.raises(BackendError, match="the disk is full") as caught:
            log(store, 2)
    assert caught.value.outcome == "none"
    assert steps_of(store) == steps_of(opened()) == [1]
    log(store, 3)
    assert steps_of(opened()) == [1, 3]


def test_a_write_that_is_interrupted_is_undone(
    store: FileBackendStore, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C leaves the handle, and the lock, in order."""

    def interrupt(file: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(records, "sync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log(store, 1)
    assert steps_of(store) == steps_of(opened()) == []
    log(opened(), 2)
    assert steps_of(store) == [2]


@pytest.mark.parametrize("below", ["", "/below", "/.trackstore"])
def test_a_path_that_is_a_file(tmp_path: Path, below: str) -> None:
    """Reads and writes say so, without the path."""
    (tmp_path / "file").write_text("x")
    url = f"file://{tmp_path}/file{below}"
    with FileBackendStore.from_url(url) as store:
        for call in (lambda: store.get_run("r"), lambda: store.create_experiment(HOME)):
            with pytest.raises(BackendError, match="is a file or is missing") as caught:
                call()
            assert str(tmp_path) not in str(caught.value)


def test_a_folder_that_may_not_be_written(
    store: FileBackendStore, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on, since it takes no lock and makes no file."""
    log(store, 1)
    open_file = os.open

    def refuse(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_CREAT | os.O_RDWR):
            raise OSError(errno.EROFS, "injected")
        return open_file(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    handle = opened()
    assert steps_of(handle) == [1]
    with pytest.raises(PermissionDenied) as caught:
        log(handle, 2)
    assert caught.value.outcome == "none"


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """A store that is not there is empty, and a wrong path leaves no folder behind."""
    with FileBackendStore.from_url(f"file://{tmp_path}/none/at/all") as store:
        assert store.scan_experiments(None, None, 9).items == []
        with pytest.raises(LookupError):
            store.metric_history("r", "m", None, 9)
    assert list(tmp_path.iterdir()) == []


def test_the_files_of_mlflow_are_not_an_empty_store(opened: Open, folder: Path) -> None:
    """Whoever names MLflow's folder is told, instead of seeing nothing in it."""
    (folder / "0").mkdir(parents=True)
    (folder / "0" / "meta.yaml").write_text("name: Default")
    store = opened()
    for call in (lambda: store.get_run("r"), lambda: store.create_experiment(HOME)):
        with pytest.raises(Unsupported, match="MLflow's own store"):
            call()


def test_artifacts_may_share_the_folder(store: FileBackendStore, folder: Path) -> None:
    """They neither see nor touch the records."""
    with FileArtifactStore.from_url(folder.as_uri()) as artifacts:
        artifacts.put("a/b", [b"x"])
        artifacts.delete("a")
        assert artifacts.scan("", None, 9, deep=True).items == []
        with pytest.raises(InvalidRequest):
            artifacts.put(".trackstore/records", [b"x"])
    log(store, 1)
    assert steps_of(store) == [1]
