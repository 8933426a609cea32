"""Many processes on one file: first start, races, forks and kills."""

import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provision.racing import judge, race
from trackstore.errors import TrackstoreError
from trackstore.model import Batch, Experiment, Metric, Run
from trackstore_backends.sqlite import SQLiteBackendStore

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def test_eight_processes_start_at_once(url: str) -> None:
    """All succeed on a new file; one of them gets the name, one the param; no point is lost."""
    race(url)
    with SQLiteBackendStore.from_url(url) as store:
        judge(store)


def log_for_ever(url: str, acknowledged: Any) -> None:
    """Log batches from four threads and say which have been acknowledged, until killed."""
    store = SQLiteBackendStore.from_url(url)

    def run(thread: int) -> None:
        for step in range(1_000_000):
            store.log("r", batch_of(thread, step))
            os.write(acknowledged, f"{thread} {step}\n".encode())

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def batch_of(thread: int, step: int) -> Batch:
    key = f"{thread}-{step}"
    metrics = [Metric(f"{thread}-{place}", 1.0, 0, step) for place in range(5)]
    return Batch(metrics, {key: "v"}, {key: "v"})


@pytest.mark.parametrize("lines", [1, 7, 60])
def test_kill_loses_and_tears_nothing(url: str, lines: int) -> None:
    """After kill -9 every acknowledged batch is there, and each batch is whole or absent."""
    with SQLiteBackendStore.from_url(url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            log_for_ever(url, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        acknowledged = [pipe.readline() for _ in range(lines)]
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged += pipe.readlines()
    check_after_kill(url, [line.split() for line in acknowledged if line.endswith("\n")])


def check_after_kill(url: str, acknowledged: list[list[str]]) -> None:
    with SQLiteBackendStore.from_url(url) as store:
        run = store.get_run("r")
        assert {"-".join(each) for each in acknowledged} <= set(run.params)
        assert run.params == run.tags
        points = {
            f"{thread}-{point.step}"
            for thread in range(4)
            for place in range(5)
            for point in store.metric_history("r", f"{thread}-{place}", None, 25_000).items
        }
        assert points == set(run.params)
        last = {key.partition("-")[0]: 0 for key in run.metrics}
        for key in run.params:
            thread, step = key.split("-")
            last[thread] = max(last[thread], int(step))
        assert all(metric.step == last[key[0]] for key, metric in run.metrics.items())
        store.log("r", Batch(tags={"after": "all"}))


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child, for 20 s at most, and return its exit code."""
    child = os.fork()
    if not child:
        code = 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_handle_survives_fork(store: SQLiteBackendStore, url: str) -> None:
    """Parent and child go on with the same handle, each on connections of its own."""
    store.create_experiment(Experiment("1", "e", "", 0, 0))
    store.create_run(Run("r", "1", 0, ""))
    store.log("r", Batch(params={"before": "x"}))

    def child() -> None:
        assert set(store.get_run("r").params) == {"before"}
        store.log("r", Batch(params={"child": "x"}))
        assert in_child(lambda: store.log("r", Batch(params={"grandchild": "x"})) and None) == 0

    assert in_child(child) == 0
    store.log("r", Batch(params={"after": "x"}))
    assert set(store.get_run("r").params) == {"before", "child", "grandchild", "after"}
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


def test_fork_amid_calls_of_other_threads(store: SQLiteBackendStore) -> None:
    """Forks while other threads read and write leave no lock held, no call lost or broken."""
    store.create_experiment(Experiment("1", "e", "", 0, 0))
    store.create_run(Run("r", "1", 0, ""))
    done = threading.Event()
    counts = [0] * 3
    failures: list[TrackstoreError] = []

    def work(place: int) -> None:
        while not done.is_set():
            try:
                store.log("r", Batch([Metric(f"m{place}", 0.0, 0, counts[place])]))
                store.get_run("r")
            except TrackstoreError as error:
                failures.append(error)
                return
            counts[place] += 1

    threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for number in range(10):
        batch = Batch([Metric("forked", 0.0, 0, number)])
        codes.append(in_child(lambda batch=batch: store.log("r", batch) and None))
    done.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 10
    assert not failures
    assert len(store.metric_history("r", "forked", None, 50).items) == 10
    for place in range(3):
        assert len(store.metric_history("r", f"m{place}", None, 25_000).items) == counts[place]


def test_a_child_forked_by_a_crashing_parent(url: str, tmp_path: Path) -> None:
    """The write-ahead log that a killed process leaves is read, then tidied away, by the next."""
    with SQLiteBackendStore.from_url(url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))

    def leave() -> None:
        store = SQLiteBackendStore.from_url(url)
        store.create_run(Run("r", "1", 0, ""))
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(leave) == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 3
    with SQLiteBackendStore.from_url(url) as store:
        assert store.get_run("r").id == "r"
    assert len(list(tmp_path.iterdir())) == 1
