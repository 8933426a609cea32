"""One long history in both libraries: read whole, and thinned out for a chart.

The points are regular steps, times with some ms of jitter, and noisy doubles.
"""

import random
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from databases import Database
from interleaved import Result, compare, rate
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import insert

import trackstore
from trackstore import Metric

CHART = 320
TARGETS = {
    "sqlite": {"columns": "150x", "points": "20x", "chart": "100x"},
    "postgres": {"columns": "150x", "points": "20x", "chart": "40x"},
    "mariadb": {"columns": "150x", "points": "20x", "chart": ""},
}


def points(size: int, key: str = "m") -> Iterator[Metric]:
    draw, time, level = random.Random(7), 1_700_000_000_000, 2.0
    for step in range(size):
        time += 20 + draw.randrange(5)
        level *= 0.999999
        yield Metric(key, level + draw.gauss(0, 0.1), time, step)


class Histories:
    """A run of `size` points of one key in each library; ours has ended, so that it is sealed."""

    def __init__(self, database: Database, folder: Path, size: int) -> None:
        self.database, self.folder, self.size = database, folder, size
        self.url = database.make("history")
        self.mlflow_url = database.make("mlflow-history")
        self.targets = TARGETS[database.name]

    @cached_property
    def tracker(self) -> trackstore.Tracker:
        return trackstore.open(self.url, artifacts=str(self.folder / "artifacts"))

    @cached_property
    def our_run(self) -> str:
        run = self.tracker.create_run(self.tracker.create_experiment("history").id)
        log_points(self.tracker, run.id, self.size)
        self.tracker.end_run(run.id)
        self.tracker.close()
        del self.tracker
        return run.id

    @cached_property
    def mlflow(self) -> SqlAlchemyStore:
        url = self.database.mlflows(self.mlflow_url)
        return SqlAlchemyStore(url, str(self.folder / "mlruns"))

    @cached_property
    def mlflow_run(self) -> str:
        experiment = self.mlflow.create_experiment("history")
        run = self.mlflow.create_run(experiment, "u", 1, [], "r").info.run_id
        insert_points(self.mlflow, run, self.size)
        return run

    def close(self) -> None:
        self.tracker.close()
        self.mlflow.engine.dispose()


def log_points(tracker: trackstore.Tracker, run_id: str, size: int) -> None:
    rows = points(size)
    while part := list(islice(rows, 5_000)):
        tracker.log(run_id, metrics=part)


def insert_points(store: SqlAlchemyStore, run_id: str, size: int, key: str = "m") -> None:
    """Write MLflow's rows directly: through its own store a million would take an hour."""
    rows = (
        {
            "key": each.key,
            "value": each.value,
            "timestamp": each.timestamp,
            "step": each.step,
            "run_uuid": run_id,
            "is_nan": False,
        }
        for each in points(size, key)
    )
    with store.engine.begin() as connection:
        while part := list(islice(rows, 5_000)):
            connection.execute(insert(SqlMetric.__table__), part)
            last = part[-1]
        connection.execute(insert(SqlLatestMetric.__table__), last)


def as_columns(on: Histories, rounds: int) -> Result:
    our_run = on.our_run  # which opens the tracker anew

    def ours() -> int:
        pages = on.tracker.iter_metric_columns(our_run, "m")
        return sum(len(page.values) for page in pages)

    return _history(on, "as columns", ours, rounds, on.targets["columns"])


def as_points(on: Histories, rounds: int) -> Result:
    our_run = on.our_run  # which opens the tracker anew

    def ours() -> int:
        return len(list(on.tracker.iter_metric_history(our_run, "m")))

    return _history(on, "as point objects", ours, rounds, on.targets["points"])


def _history(on: Histories, how: str, ours: Callable[[], int], rounds: int, target: str) -> Result:
    def mlflow() -> int:
        return len(on.mlflow.get_metric_history(on.mlflow_run, "m"))

    def whole(read: Callable[[], int]) -> None:
        assert read() == on.size

    return compare(
        f"history of {on.size:,} points, sealed, {how}",
        lambda: rate(lambda _: whole(ours), 0.5),
        lambda: rate(lambda _: whole(mlflow), 0.0),
        rounds=rounds,
        target=target,
    )


def chart(on: Histories, rounds: int) -> Result:
    """MLflow's chart has every n-th point; ours has the extremes of each stretch too."""

    our_run = on.our_run  # which opens the tracker anew

    def ours() -> int:
        return len(on.tracker.downsample_metric(our_run, "m", points=CHART).values)

    def mlflow() -> int:
        asked = [on.mlflow_run], "m", CHART, None, None
        return len(on.mlflow.get_metric_history_bulk_interval(*asked))

    for drawn in ours(), mlflow():
        assert 0.9 * CHART <= drawn <= CHART
    return compare(
        f"chart of {CHART} of {on.size:,} points",
        lambda: rate(lambda _: ours(), 0.5),
        lambda: rate(lambda _: mlflow(), 0.0),
        rounds=rounds,
        target=on.targets["chart"],
    )
