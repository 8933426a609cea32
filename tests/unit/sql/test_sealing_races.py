"""Sealing amid writers, readers, other processes and kills: no point is lost, or read twice."""

import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count, pairwise
from random import Random
from typing import Any

import pytest

from sealed import open_eagerly
from trackstore.model import Batch, Experiment, Metric, Run, RunChanges, RunStatus
from trackstore_backends.sql.sealing import Sizes, Task, seal
from trackstore_backends.sqlite import SQLiteBackendStore, SQLiteSession

SPAWN = multiprocessing.get_context("spawn")
ENDED = RunChanges(status=RunStatus.FINISHED)
WORKERS, STEPS = 4, 60


@pytest.fixture
def eager(url: str) -> Any:
    with open_eagerly(url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
        yield store


def log_and_end(store: SQLiteBackendStore, worker: int) -> None:
    """Log points of which neighbours are other workers', some twice, and end the run often."""
    for place in range(STEPS):
        step = WORKERS * place + worker
        store.log("r", Batch([Metric("m", 1.0, 0, step), Metric("m", 1.0, 0, step // 2)]))
        if place % 7 == 0:
            store.update_run("r", ENDED)


def steps_of(store: SQLiteBackendStore) -> list[int]:
    found = []
    after = None
    while True:
        page = store.metric_history("r", "m", after, 17)
        found += [point.step for point in page.items]
        if (after := page.next) is None:
            return found


def test_threads_that_write_while_points_are_sealed(eager: SQLiteBackendStore, url: str) -> None:
    """Readers meanwhile see what was acknowledged before, in order and once."""
    done, broken = threading.Event(), []
    acknowledged: set[int] = set()

    def write(worker: int) -> None:
        with open_eagerly(url) as store:
            for place in range(STEPS):
                step = WORKERS * place + worker
                store.log("r", Batch([Metric("m", 1.0, 0, step)]))
                acknowledged.add(step)
                if place % 5 == 0:
                    eager.update_run("r", ENDED)

    def read() -> None:
        while not done.is_set():
            before = set(acknowledged)
            found = list(eager.metric_columns("r", "m", None, 10_000).steps)
            if sorted(set(found)) != found or not before <= set(found):
                broken.append((before - set(found), found))

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(WORKERS)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not broken
    assert steps_of(eager) == list(range(WORKERS * STEPS))


def work_in_process(url: str, worker: int, start: Any) -> None:
    start.wait()
    with open_eagerly(url) as store:
        log_and_end(store, worker)


def test_processes_that_seal_one_run(eager: SQLiteBackendStore, url: str) -> None:
    """Whoever comes second finds the points packed, and packs what is left."""
    start = SPAWN.Barrier(WORKERS)
    workers = [
        SPAWN.Process(target=work_in_process, args=(url, number, start))
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * WORKERS
    assert steps_of(eager) == list(range(WORKERS * STEPS))
    check_chunks(url)


def check_chunks(url: str) -> None:
    """Chunks of one key do not overlap, and hold as many points as they say."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        rows = connection.execute(
            "select first_step, last_step from chunks order by last_step, last_ts, last_o"
        ).fetchall()
    assert rows
    for (_, last), (first, _) in pairwise(rows):
        assert last < first


def log_for_ever(url: str, acknowledged: int) -> None:
    store = open_eagerly(url)
    for step in count():
        store.log("r", Batch([Metric("m", 1.0, 0, step)]))
        if step % 3 == 0:
            store.update_run("r", ENDED)
        os.write(acknowledged, b".")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("points", [1, 10, 57])
def test_a_kill_loses_nothing(eager: SQLiteBackendStore, url: str, points: int) -> None:
    """Every acknowledged point is there once, and the next process goes on."""
    eager.close()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            log_for_ever(url, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        acknowledged = sum(len(pipe.read(1)) for _ in range(points))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged += len(pipe.readall())
    with open_eagerly(url) as store:
        found = steps_of(store)
        assert found == list(range(len(found)))
        assert acknowledged <= len(found) <= acknowledged + 1
        store.update_run("r", ENDED)
        assert steps_of(store) == found
    check_chunks(url)


class Stopped(Exception):
    """Ends a transaction before one of its statements."""


def test_a_stop_before_any_statement_changes_nothing(
    eager: SQLiteBackendStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunks and the rows that they take the place of change in one transaction."""
    eager.log("r", Batch([Metric("m", 1.0, 0, step) for step in range(0, 40, 2)]))
    eager.update_run("r", ENDED)
    eager._sealer.finish()
    monkeypatch.setattr(eager._sealer, "help", lambda *_: None)
    eager.log("r", Batch([Metric("m", 1.0, 0, step) for step in range(1, 9, 2)]))
    before = content(url)
    stops = 0
    while stop_before(stops, eager, monkeypatch):
        assert content(url) == before
        stops += 1
    assert stops >= 5
    assert content(url) != before
    assert steps_of(eager) == sorted([*range(0, 40, 2), *range(1, 9, 2)])


def stop_before(number: int, store: SQLiteBackendStore, patch: pytest.MonkeyPatch) -> bool:
    """Seal a slice, but for the statements from a number on; tell if it was stopped."""
    left = [number]

    def stopping(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: SQLiteSession, sql: str, *rest: Sequence[Any]) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Stopped
            return method(self, sql, *rest)

        return call

    with patch.context() as patched:
        for name in ("rows", "row", "run", "run_many"):
            patched.setattr(SQLiteSession, name, stopping(getattr(SQLiteSession, name)))
        try:
            store._writer.run(
                lambda session, labels: seal(session, labels, Task("r"), store._sizes)
            )
        except Stopped:
            return True
    return False


def content(url: str) -> list[Any]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [
            connection.execute(f"select * from {table}").fetchall()
            for table in ("points", "chunks")
        ]


def test_a_full_disk_leaves_points_loose(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """The call before has succeeded, what could not be packed is read, and is packed later."""
    with SQLiteBackendStore.from_url(url) as store:
        store._sizes = store._sealer._sizes = Sizes(chunk=4_000, loose=9_000)
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
        draw = Random(1)
        store.log("r", Batch([Metric("m", draw.random(), 0, step) for step in range(4_000)]))
        writer = store._connections._writer
        pages = writer.execute("pragma page_count").fetchone()[0]
        writer.execute(f"pragma max_page_count = {pages}")
        store.update_run("r", ENDED)
        assert "full" in caplog.text
        assert steps_of(store) == list(range(4_000))
        assert len(content(url)[0]) == 4_000
        store.update_run("r", ENDED)  # by a new connection, which may grow the file
        assert steps_of(store) == list(range(4_000))
    assert content(url)[0] == []
