"""Logging and searching through the two libraries, in one process, each on its own SQLite file."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from driver import Driver
from interleaved import Result, compare, rate
from mlflow.entities import Metric as MlflowMetric
from mlflow.entities import Param, RunStatus, RunTag, ViewType
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from runs import EXPERIMENT, fill_mlflow, fill_trackstore

import trackstore
from trackstore import Metric

T = TypeVar("T")

SEARCH = "metrics.m0 > 0.9 AND params.p0 = 'v3'"
ORDER = ["metrics.m1 DESC"]


class Subjects:
    """A tracker and MLflow's store, each with an experiment."""

    def __init__(self, folder: Path) -> None:
        self.tracker = trackstore.open(
            f"sqlite:///{folder}/trackstore.db", artifacts=str(folder / "artifacts")
        )
        self.mlflow = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", str(folder / "mlruns"))
        self.ours_id = self.tracker.create_experiment("bench").id
        self.mlflow_id = self.mlflow.create_experiment("bench")
        self.driver = Driver(folder / "driver.db")
        self.times = itertools.count(1)

    def our_run(self) -> str:
        return self.tracker.create_run(self.ours_id, name="r", user_id="u").id

    def mlflow_run(self) -> str:
        return self.mlflow.create_run(self.mlflow_id, "u", 1, [], "r").info.run_id


def one_metric(on: Subjects, seconds: float, rounds: int) -> Result:
    our_run, mlflow_run = on.our_run(), on.mlflow_run()

    def ours(_: int) -> None:
        step = next(on.times)
        on.tracker.log_metric(our_run, "m", 0.5, step=step, timestamp=step)

    def mlflow(_: int) -> None:
        step = next(on.times)
        on.mlflow.log_metric(mlflow_run, MlflowMetric("m", 0.5, step, step))

    return compare(
        "`log_metric`, a point a call",
        lambda: rate(ours, seconds),
        lambda: rate(mlflow, seconds),
        driver=lambda: rate(lambda _: on.driver.add_point(next(on.times)), seconds),
        rounds=rounds,
        target=30,
    )


def thousand_metrics(on: Subjects, seconds: float, rounds: int) -> Result:
    our_run, mlflow_run = on.our_run(), on.mlflow_run()
    keys = [f"metric {key}" for key in range(100)]

    def points(kind: Callable[..., T]) -> list[T]:
        steps = [next(on.times) for _ in range(10)]
        return [kind(key, step / 7, step, step) for step in steps for key in keys]

    def rows() -> list[tuple[int, int, int]]:
        steps = [next(on.times) for _ in range(10)]
        return [(label, step, step) for step in steps for label in range(100)]

    return compare(
        "`log_batch` of 1,000 metrics (100 keys x 10 steps)",
        lambda: rate(lambda _: on.tracker.log(our_run, metrics=points(Metric)), seconds),
        lambda: rate(
            lambda _: on.mlflow.log_batch(mlflow_run, points(MlflowMetric), [], []), seconds
        ),
        driver=lambda: rate(lambda _: on.driver.add_points(rows()), seconds),
        rounds=rounds,
        target=18,
    )


def params_and_tags(on: Subjects, seconds: float, rounds: int) -> Result:
    pairs = [(f"name {n}", f"value of name {n}") for n in range(100)]
    params = [Param(*pair) for pair in pairs]
    tags = [RunTag(*pair) for pair in pairs]
    values = [value for _, value in pairs]

    def ours() -> float:
        runs = [on.our_run() for _ in range(int(2_000 * seconds))]
        return rate(lambda n: on.tracker.log(runs[n], params=pairs, tags=pairs), seconds)

    def mlflow() -> float:
        runs = [on.mlflow_run() for _ in range(int(100 * seconds))]
        return rate(lambda n: on.mlflow.log_batch(runs[n], [], params, tags), seconds)

    def driver(_: int) -> None:
        on.driver.add_params_and_tags(next(on.times), values)

    return compare(
        "`log_batch` of 100 params + 100 tags",
        ours,
        mlflow,
        driver=lambda: rate(driver, seconds),
        rounds=rounds,
        target=25,
    )


def create_and_finish(on: Subjects, seconds: float, rounds: int) -> Result:
    def mlflow(_: int) -> None:
        on.mlflow.update_run_info(on.mlflow_run(), RunStatus.FINISHED, 2, None)

    return compare(
        "`create_run` + finish",
        lambda: rate(lambda _: on.tracker.end_run(on.our_run()), seconds),
        lambda: rate(mlflow, seconds),
        driver=lambda: rate(lambda _: on.driver.create_and_finish(next(on.times)), seconds),
        rounds=rounds,
        target=40,
    )


def filtered_search(folder: Path, size: int, rounds: int) -> Result:
    """The same runs in both; the two must find the same ones in the same order."""
    tracker = trackstore.open(f"sqlite:///{folder}/search.db", artifacts=str(folder / "artifacts"))
    store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow-search.db", str(folder / "mlruns"))
    fill_trackstore(tracker, size)
    fill_mlflow(store, size)

    def ours() -> list[str]:
        page = tracker.search_runs([EXPERIMENT], SEARCH, order_by=ORDER, limit=50)
        return [run.id for run in page.items]

    def mlflow() -> list[str]:
        found = store.search_runs([EXPERIMENT], SEARCH, ViewType.ACTIVE_ONLY, 50, ORDER)
        return [run.info.run_id for run in found]

    assert ours() == mlflow() != [], "the two searches disagree"
    work = f"search with two filters and an order over {size:,} runs"
    return compare(
        work,
        lambda: rate(lambda _: ours(), 0.5),
        lambda: rate(lambda _: mlflow(), 0.0),
        rounds=rounds,
        target=1000,
    )
