"""One long history in both libraries: read whole, thinned out for a chart, and its size on disk.

    python benchmarks/history.py        rewrites the table of sizes in docs/performance.md

The points are regular steps, times with some ms of jitter, and noisy doubles.
"""

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cached_property
from itertools import islice
from pathlib import Path

import machine
from databases import Database, sqlite
from interleaved import Result, compare, rate
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import insert

import trackstore
from trackstore import Metric

CHART = 320
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- space: begin -->", "<!-- space: end -->"
TARGETS = {
    "sqlite": {"columns": "150x", "points": "20x", "chart": "100x"},
    "postgres": {"columns": "150x", "points": "20x", "chart": "40x"},
    "mariadb": {"columns": "150x", "points": "20x", "chart": ""},
}


def points(size: int) -> Iterator[Metric]:
    draw, time, level = random.Random(7), 1_700_000_000_000, 2.0
    for step in range(size):
        time += 20 + draw.randrange(5)
        level *= 0.999999
        yield Metric("m", level + draw.gauss(0, 0.1), time, step)


class Histories:
    """A run of `size` points of one key in each library; ours has ended, so that it is sealed."""

    def __init__(self, database: Database, folder: Path, size: int) -> None:
        self.database, self.folder, self.size = database, folder, size
        self.url = database.make("history")
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
        url = self.database.mlflows(self.database.make("mlflow-history"))
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


def insert_points(store: SqlAlchemyStore, run_id: str, size: int) -> None:
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
        for each in points(size)
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

    assert ours() == on.size
    return compare(
        f"history of {on.size:,} points, sealed, {how}",
        lambda: rate(lambda _: ours(), 0.5),
        lambda: rate(lambda _: mlflow(), 0.0),
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

    assert ours() <= CHART >= mlflow()
    return compare(
        f"chart of {CHART} of {on.size:,} points",
        lambda: rate(lambda _: ours(), 0.5),
        lambda: rate(lambda _: mlflow(), 0.0),
        rounds=rounds,
        target=on.targets["chart"],
    )


def space(folder: Path, size: int) -> str:
    """Return a table of bytes per point: all pages that belong to them, indexes included."""
    with sqlite(folder) as database:
        on = Histories(database, folder, size)
    loose, sealed = folder / "loose.db", Path(on.url.removeprefix("sqlite:///"))
    store = trackstore.open(f"sqlite:///{loose}", artifacts=str(folder / "artifacts"))
    with store as tracker:
        running = tracker.create_run("0")
        for part in range(size // 4_000):  # each key stays below what is worth sealing
            key = f"m{part}"
            rows = (Metric(key, p.value, p.timestamp, p.step) for p in points(4_000))
            tracker.log(running.id, metrics=rows)
    assert on.our_run
    assert on.mlflow_run
    mlflow = Path(str(on.mlflow.engine.url.database))
    rows = {
        "loose": (_bytes(loose, "points"), "32"),
        "sealed": (_bytes(sealed, "chunks", "points"), "9"),
        "MLflow": (_bytes(mlflow, "metrics"), ""),
    }
    lines = [f"| {name} | {taken / size:.1f} | {most} |" for name, (taken, most) in rows.items()]
    return "\n".join(["| | bytes per point | target |", "|---|---|---|", *lines])


def _bytes(path: Path, *tables: str) -> int:
    """Return how many bytes the pages of some tables and their indexes have."""
    with closing(sqlite3.connect(path)) as connection:
        query = "select sum(pgsize) from dbstat join sqlite_master using (name) where tbl_name = ?"
        return sum(connection.execute(query, (name,)).fetchone()[0] for name in tables)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="trackstore-bench-") as name:
        folder = Path(name)
        head = machine.describe(folder, f"SQLite {sqlite3.sqlite_version}")
        table = space(folder, 1_000_000)
    print(f"{head}\n\n{table}")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{head}\n\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
