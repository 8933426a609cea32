"""Many runs, the same for both libraries: three metrics and two params each, from one seed."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import text

from trackstore import Batch, Experiment, Metric, Run, Tracker

EXPERIMENT = "77"

RUN_COLUMNS = (
    "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
    "lifecycle_stage, artifact_uri, experiment_id"
)
RUN_VALUES = ":id, :id, 'LOCAL', '', '', 'u', 'RUNNING', :start, 'active', 'x:/', 77"
LATEST_COLUMNS = "key, value, timestamp, step, is_nan, run_uuid"

INSERTS = {
    "runs": (RUN_COLUMNS, RUN_VALUES),
    "latest_metrics": (LATEST_COLUMNS, ":key, :value, 1, 0, false, :id"),
    "params": ("key, value, run_uuid", ":key, :value, :id"),
    "tags": ("key, value, run_uuid", "'mlflow.runName', :id, :id"),
}


def runs(size: int) -> Iterator[tuple[str, int, dict[str, float], dict[str, str]]]:
    """Yield (id, start time in ms, metrics, params)."""
    draw = random.Random(7)
    for number in range(size):
        metrics = {f"m{key}": draw.random() for key in range(3)}
        params = {"p0": f"v{draw.randrange(10)}", "p1": f"w{draw.randrange(1000)}"}
        yield f"{number:032x}", 1_000_000 + number, metrics, params


def fill_trackstore(tracker: Tracker, size: int) -> None:
    """Write through the contract, as any client's runs are, from several threads."""
    tracker.store.create_experiment(Experiment(EXPERIMENT, "search", "x:/", 1, 1))

    def write(run: tuple[str, int, dict[str, float], dict[str, str]]) -> None:
        ident, start, metrics, params = run
        name = {"mlflow.runName": ident}
        tracker.store.create_run(Run(ident, EXPERIMENT, start, "x:/", user_id="u", tags=name))
        points = [Metric(key, value, 1) for key, value in metrics.items()]
        tracker.store.log(ident, Batch(metrics=points, params=params))

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(write, runs(size)):
            pass


def fill_mlflow(store: SqlAlchemyStore, size: int) -> None:
    """Write MLflow's rows directly: through its own store this would take an hour."""
    with store.engine.begin() as connection:
        connection.execute(
            text(
                "insert into experiments (experiment_id, name, workspace, artifact_location,"
                " lifecycle_stage, creation_time, last_update_time)"
                " values (77, 'search', 'default', 'x:/', 'active', 1, 1)"
            )
        )
        quote = store.engine.dialect.identifier_preparer.quote
        source = runs(size)
        while part := list(islice(source, 5_000)):
            rows = {
                "runs": [{"id": ident, "start": start} for ident, start, _, _ in part],
                "tags": [{"id": ident} for ident, *_ in part],
                "latest_metrics": [
                    {"id": ident, "key": key, "value": value}
                    for ident, _, metrics, _ in part
                    for key, value in metrics.items()
                ],
                "params": [
                    {"id": ident, "key": key, "value": value}
                    for ident, _, _, params in part
                    for key, value in params.items()
                ],
            }
            for table, values in rows.items():
                columns, places = INSERTS[table]
                names = ", ".join(quote(name) for name in columns.split(", "))
                connection.execute(text(f"insert into {table} ({names}) values ({places})"), values)
