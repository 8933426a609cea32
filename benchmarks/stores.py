"""Logging and searching through the two libraries, in one process, each on its own database."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from crowd import crowd
from databases import Database
from interleaved import Result, compare, rate
from mlflow.entities import Metric as MlflowMetric
from mlflow.entities import Param, RunStatus, RunTag, ViewType
from mlflow.entities import Run as MlflowRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from runs import EXPERIMENT, fill_mlflow, fill_trackstore

import trackstore
from trackstore import Metric

T = TypeVar("T")

SEARCHES = {
    "a": ("metrics.m0 > 0.9 AND params.p0 = 'v3'", "two filters that keep a tenth each"),
    "b": ("metrics.m0 > 0.4 AND params.p1 = 'w7'", "0.06 % of all match"),
    "c": ("metrics.m0 > 0.9 AND params.p0 = 'none'", "none match"),
}
ORDER = ["metrics.m1 DESC"]
SCANNED = {"search b": "17 per s", "search c": "17 per s"}
"""At most 60 ms, of 100,000 runs."""
TARGETS = {
    "sqlite": {
        "metric": "40x, 0.5",
        "batch": "25x, 0.6",
        "params": "40x, 0.5",
        "create": "60x, 0.4",
        "crowd": "40x",
        "search a": "3,000x, 125 per s",
        **SCANNED,
    },
    "postgres": {
        "metric": "15x, 0.45",
        "batch": "20x, 0.55",
        "params": "15x, 0.6",
        "create": "15x, 0.6",
        "crowd": "30x",
        "search a": "60x, 125 per s",
        **SCANNED,
    },
    "mariadb": {
        "metric": "12x, 0.35",
        "batch": "10x, 0.55",
        "params": "10x, 0.55",
        "create": "20x, 0.4",
        "crowd": "30x",
        "search a": "125 per s",
        **SCANNED,
    },
}


class Subjects:
    """A tracker, MLflow's store and the bare driver, each with a database and an experiment."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.targets = TARGETS[database.name]
        self.database = database
        self.ours_url = database.make("trackstore")
        self.mlflow_url = database.mlflows(database.make("mlflow"))
        self.driver_url = database.make("driver")
        self.tracker = trackstore.open(self.ours_url, artifacts=str(folder / "artifacts"))
        self.mlflow = SqlAlchemyStore(self.mlflow_url, str(folder / "mlruns"))
        self.ours_id = self.tracker.create_experiment("bench").id
        self.mlflow_id = self.mlflow.create_experiment("bench")
        self.driver = database.driver(self.driver_url)
        self.times = itertools.count(1)

    def our_run(self) -> str:
        return self.tracker.create_run(self.ours_id, name="r", user_id="u").id

    def mlflow_run(self) -> str:
        return self.mlflow.create_run(self.mlflow_id, "u", 1, [], "r").info.run_id

    def close(self) -> None:
        self.driver.close()
        self.tracker.close()
        self.mlflow.engine.dispose()


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
        reference=lambda: rate(lambda _: on.driver.add_point(1, next(on.times)), seconds),
        rounds=rounds,
        target=on.targets["metric"],
    )


def many_processes(on: Subjects, seconds: float, rounds: int, size: int = 8) -> Result:
    """Each process has a handle of its own, and a run of its own."""
    with (
        crowd("ours", on.ours_url, [on.our_run() for _ in range(size)]) as ours,
        crowd("mlflow", on.mlflow_url, [on.mlflow_run() for _ in range(size)]) as mlflow,
        crowd(on.database.name, on.driver_url, [str(100 + n) for n in range(size)]) as driver,
    ):
        return compare(
            f"{size} processes, a point a call",
            lambda: ours(seconds),
            lambda: mlflow(seconds),
            reference=lambda: driver(seconds),
            rounds=rounds,
            target=on.targets["crowd"],
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
        reference=lambda: rate(lambda _: on.driver.add_points(rows()), seconds),
        rounds=rounds,
        target=on.targets["batch"],
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
        reference=lambda: rate(driver, seconds),
        rounds=rounds,
        target=on.targets["params"],
    )


def create_and_finish(on: Subjects, seconds: float, rounds: int) -> Result:
    def mlflow(_: int) -> None:
        on.mlflow.update_run_info(on.mlflow_run(), RunStatus.FINISHED, 2, None)

    return compare(
        "`create_run` + finish",
        lambda: rate(lambda _: on.tracker.end_run(on.our_run()), seconds),
        lambda: rate(mlflow, seconds),
        reference=lambda: rate(lambda _: on.driver.create_and_finish(next(on.times)), seconds),
        rounds=rounds,
        target=on.targets["create"],
    )


class Searched:
    """The same runs in both; the two must find the same ones in the same order."""

    def __init__(self, database: Database, folder: Path, size: int) -> None:
        self.size = size
        self.targets = TARGETS[database.name]
        self.tracker = trackstore.open(database.make("search"), artifacts=str(folder / "artifacts"))
        fill_trackstore(self.tracker, size)
        url = database.mlflows(database.make("mlflow-search"))
        self.mlflow = SqlAlchemyStore(url, str(folder / "mlruns"))
        fill_mlflow(self.mlflow, size)

    def ours(self, filter_: str) -> Sequence[trackstore.Run]:
        return self.tracker.search_runs([EXPERIMENT], filter_, order_by=ORDER, limit=50).items

    def mlflows(self, filter_: str) -> Sequence[MlflowRun]:
        return self.mlflow.search_runs([EXPERIMENT], filter_, ViewType.ACTIVE_ONLY, 50, ORDER)

    def agreed(self, filter_: str) -> int:
        """Compare what the two find, with all that a run has, and return how many that is."""
        ours = [
            (run.id, {key: point.value for key, point in run.metrics.items()}, {**run.params})
            for run in self.ours(filter_)
        ]
        theirs = [
            (run.info.run_id, run.data.metrics, run.data.params) for run in self.mlflows(filter_)
        ]
        assert ours == theirs, "the two searches disagree"
        return len(ours)

    def close(self) -> None:
        self.tracker.close()
        self.mlflow.engine.dispose()


def filtered_search(on: Searched, which: str, rounds: int) -> Result:
    filter_, about = SEARCHES[which]
    assert bool(on.agreed(filter_)) == (which != "c")
    return compare(
        f"search ({which}) of {on.size:,} runs: {about}, by a metric",
        lambda: rate(lambda _: on.ours(filter_), 0.5),
        lambda: rate(lambda _: on.mlflows(filter_), 0.0),
        rounds=rounds,
        target=on.targets.get(f"search {which}", ""),
    )


def growth(database: Database, folder: Path, sizes: tuple[int, int]) -> Result:
    """Compare search (a) of many runs with that of few: the ratio says how much slower it is."""
    trackers = []
    for size in sizes:
        url = database.make(f"of-{size}")
        trackers.append(trackstore.open(url, artifacts=str(folder / "artifacts")))
        fill_trackstore(trackers[-1], size)

    def search(tracker: trackstore.Tracker) -> None:
        page = tracker.search_runs([EXPERIMENT], SEARCHES["a"][0], order_by=ORDER, limit=50)
        assert len(page.items) == 50

    few, many = trackers
    with few, many:
        return compare(
            f"search (a), {sizes[0]:,} runs against {sizes[1]:,} (both trackstore)",
            lambda: rate(lambda _: search(few), 1),
            lambda: rate(lambda _: search(many), 1),
            rounds=7,
            target="at most 3x" if database.name == "mariadb" else "at most 2x",
        )
