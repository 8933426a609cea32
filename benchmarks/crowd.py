"""Many processes that log one point after another, each by a handle of its own."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from interleaved import rate

SPAWN = multiprocessing.get_context("spawn")


def logger(kind: str, url: str, run: str) -> Callable[[int], object]:
    """Return what logs one point of the run; it is given the step."""
    if kind == "ours":
        from trackstore.model import Batch, Metric
        from trackstore.registry import open_backend_store

        store = open_backend_store(url)
        return lambda step: store.log(run, Batch([Metric("m", 0.5, step, step)]))
    if kind == "mlflow":
        from mlflow.entities import Metric as MlflowMetric
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        mlflow = SqlAlchemyStore(url, "mlruns")
        return lambda step: mlflow.log_metric(run, MlflowMetric("m", 0.5, step, step))
    from databases import open_driver

    driver = open_driver(kind, url)
    return lambda step: driver.add_point(int(run), step)


def work(end: Connection, kind: str, url: str, run: str) -> None:
    """Log for as many seconds as are asked for, time after time; answer with the rate."""
    log = logger(kind, url, run)
    done = 0
    end.send(0.0)
    while seconds := end.recv():
        offset = done

        def once(step: int, offset: int = offset) -> None:
            nonlocal done
            log(offset + step)
            done = offset + step + 1

        end.send(rate(once, seconds))


@contextmanager
def crowd(kind: str, url: str, runs: Sequence[str]) -> Iterator[Callable[[float], float]]:
    """Yield what lets a process for each run log at the same time, and returns their rate."""
    pairs = [SPAWN.Pipe() for _ in runs]
    processes = [
        SPAWN.Process(target=work, args=(theirs, kind, url, run), daemon=True)
        for (_, theirs), run in zip(pairs, runs, strict=True)
    ]
    ends = [ours for ours, _ in pairs]

    def together(seconds: float) -> float:
        for end in ends:
            end.send(seconds)
        return sum(end.recv() for end in ends)

    for process in processes:
        process.start()
    for end in ends:
        end.recv()
    try:
        yield together
    finally:
        for end in ends:
            end.send(0)
        for process in processes:
            process.join()
