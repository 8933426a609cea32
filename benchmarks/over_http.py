"""Measure the server over HTTP beside MLflow's and FastTrackML's, and write the table.

    python benchmarks/over_http.py                         SQLite
    python benchmarks/over_http.py --database postgres
    python benchmarks/over_http.py --only metric --only chart
    python benchmarks/over_http.py --quick                 a look; writes nothing

All three get the same requests of one load generator, in turns, each on a database of its own that
syncs every commit.  What was written is counted in the databases, and what was found is compared.
"reference" is FastTrackML, a server in Go that speaks the same API; it has no charts' request.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
import table
from databases import DATABASES, Database
from history import CHART, insert_points, log_points
from http_load import API, CONNECTIONS, Load, get, post, query
from interleaved import Result, compare
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from runs import EXPERIMENT, fill_mlflow, fill_trackstore, runs
from servers import fasttrackml_server, free_port, mlflow_server, running, trackstore_server
from sqlalchemy import create_engine, text
from stores import ORDER, SEARCHES
from table import Part

import trackstore

CHARTED = 10
"""How many runs the charts' request names."""
NAMES = ("trackstore", "mlflow", "fasttrackml")
TARGETS = {
    "sqlite": {"metric": "80x", "batch": "20x", "search": "100x", "chart": "20x"},
    "postgres": {"metric": "40x", "batch": "20x", "search": "30x", "chart": "20x"},
}


def main() -> None:
    arguments = table.parser(__doc__, TARGETS).parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="trackstore-bench-") as name,
        DATABASES[arguments.database](Path(name)) as database,
        Servers(database, Path(name), quick=arguments.quick) as servers,
    ):
        every = servers.parts()
        head = machine.describe(Path(name), database.version)
        head += f", fasttrackml {version('fasttrackml')}, {CONNECTIONS} connections of wrk"
        results = table.measured(head, every, arguments.only or every)
    if table.is_written(arguments):
        table.write(f"http-{arguments.database}", head, results)


class Servers:
    """One of each kind, all running, of which one at a time is given work."""

    def __init__(self, database: Database, folder: Path, *, quick: bool) -> None:
        self.folder, self.targets = folder, TARGETS[database.name]
        self.seconds, self.rounds = (3, 2) if quick else (5, 5)
        self.runs, self.points = (1_000, 1_000) if quick else (10_000, 10_000)
        self.ports = {name: free_port() for name in NAMES}
        self.urls = {name: database.make(name) for name in NAMES}
        self.engines = {name: create_engine(self.urls[name]) for name in NAMES}
        self._running = ExitStack()

    def __enter__(self) -> "Servers":
        commands = trackstore_server, mlflow_server, fasttrackml_server
        for name, command in zip(NAMES, commands, strict=True):
            port = self.ports[name]
            started = running(command(self.folder, port, self.urls[name]), port)
            self._running.enter_context(started)
        return self

    def __exit__(self, *raised: Any) -> None:
        if "tracker" in vars(self):
            self.tracker.close()
        for engine in self.engines.values():
            engine.dispose()
        self._running.__exit__(*raised)

    @cached_property
    def tracker(self) -> trackstore.Tracker:
        """Opened on our server's database, which is served meanwhile."""
        return trackstore.open(self.urls["trackstore"], artifacts=str(self.folder / "artifacts"))

    @cached_property
    def mlflow(self) -> SqlAlchemyStore:
        return SqlAlchemyStore(self.urls["mlflow"], str(self.folder / "mlruns"))

    def parts(self) -> dict[str, Part]:
        every = {"metric": one_metric, "batch": batch, "search": search, "chart": chart}
        return {name: lambda part=part: iter([part(self)]) for name, part in every.items()}

    def load(
        self, name: str, path: str, body: object | None = None, runs: Sequence[str] = ()
    ) -> Load:
        return Load(self.folder, self.ports[name], self.seconds, path, body, runs)

    def compared(self, part: str, work: str, loads: dict[str, Load]) -> Result:
        target = self.targets[part]
        return compare(
            f"{work}, {CONNECTIONS} connections",
            loads["trackstore"],
            loads["mlflow"],
            reference=loads.get("fasttrackml"),
            rounds=self.rounds,
            target=f"{target}, 0.95" if "fasttrackml" in loads else target,
        )

    def new_run(self, name: str) -> str:
        asked = {"experiment_id": "0", "start_time": 1, "run_name": "r"}
        return str(post(self.ports[name], "runs/create", asked)["run"]["info"]["run_id"])

    def stored(self, name: str, run_id: str) -> int:
        """Return how many points of a run are in the database of a server."""
        if name == "trackstore":
            columns = self.tracker.iter_metric_columns
            keys = self.tracker.get_run(run_id).metrics
            return sum(len(page.steps) for key in keys for page in columns(run_id, key))
        counted = text("select count(*) from metrics where run_uuid = :run")
        with self.engines[name].connect() as connection:
            return int(connection.execute(counted, {"run": run_id}).scalar_one())


def one_metric(on: Servers) -> Result:
    point = {"key": "m", "value": 0.5, "timestamp": 1, "step": "@STEP@"}
    return written(on, "metric", "`log-metric`", "log-metric", point)


def batch(on: Servers) -> Result:
    point = {"value": 0.5, "timestamp": 1, "step": "@STEP@"}
    body = {"metrics": [{"key": f"m{n}", **point} for n in range(100)]}
    return written(on, "batch", "`log-batch` of 100 points (100 keys)", "log-batch", body, 100)


def written(
    on: Servers, part: str, work: str, path: str, body: dict[str, Any], size: int = 1
) -> Result:
    """Compare requests that write `size` points each; each connection has a run of its own.

    All are then counted in the databases.
    """
    ids = {name: [on.new_run(name) for _ in range(CONNECTIONS)] for name in NAMES}
    asked = {"run_id": "@RUN@", **body}
    loads = {name: on.load(name, f"{API}runs/{path}", asked, ids[name]) for name in NAMES}
    result = on.compared(part, work, loads)
    for name, load in loads.items():
        load.check_stored(sum(on.stored(name, run_id) for run_id in ids[name]), size)
    return result


def search(on: Servers) -> Result:
    """The same runs in all three; they must find the same ones in the same order."""
    fill_trackstore(on.tracker, on.runs)
    fill_mlflow(on.mlflow, on.runs)
    third = fill_over_http(on.ports["fasttrackml"], on.runs)
    experiments = {"trackstore": EXPERIMENT, "mlflow": EXPERIMENT, "fasttrackml": third}
    filter_, about = SEARCHES["a"]
    asked = {"filter": filter_, "order_by": ORDER, "max_results": 50}
    bodies = {name: {"experiment_ids": [ident], **asked} for name, ident in experiments.items()}
    found = {name: found_names(on.ports[name], body) for name, body in bodies.items()}
    assert found["trackstore"]
    assert found["trackstore"] == found["mlflow"] == found["fasttrackml"], "they disagree"
    loads = {name: on.load(name, f"{API}runs/search", body) for name, body in bodies.items()}
    return on.compared("search", f"search (a) of {on.runs:,} runs: {about}", loads)


def fill_over_http(port: int, size: int) -> str:
    """Write the runs as a client would, and return the id of their experiment."""
    experiment = str(post(port, "experiments/create", {"name": "search"})["experiment_id"])

    def write(run: tuple[str, int, dict[str, float], dict[str, str]]) -> None:
        name, start, metrics, params = run
        asked = {"experiment_id": experiment, "start_time": start, "run_name": name}
        made = post(port, "runs/create", asked)["run"]["info"]["run_id"]
        points = [{"key": k, "value": v, "timestamp": 1, "step": 0} for k, v in metrics.items()]
        texts = [{"key": k, "value": v} for k, v in params.items()]
        post(port, "runs/log-batch", {"run_id": made, "metrics": points, "params": texts})

    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(write, runs(size)):
            pass
    return experiment


def found_names(port: int, body: object) -> list[str]:
    return [run["info"]["run_name"] for run in post(port, "runs/search", body)["runs"]]


def chart(on: Servers) -> Result:
    """Ended runs, of which each server picks its points; as many, and the same first and last."""
    experiment = on.tracker.create_experiment("charts").id
    ours = [on.tracker.create_run(experiment).id for _ in range(CHARTED)]
    for run_id in ours:
        log_points(on.tracker, run_id, on.points)
        on.tracker.end_run(run_id)
    theirs_id = on.mlflow.create_experiment("charts")
    made = [on.mlflow.create_run(theirs_id, "u", 1, [], "r") for _ in range(CHARTED)]
    theirs = [run.info.run_id for run in made]
    for run_id in theirs:
        insert_points(on.mlflow, run_id, on.points)
    paths = {"trackstore": chart_path(ours), "mlflow": chart_path(theirs)}
    drawn = {name: steps_of(get(on.ports[name], path)) for name, path in paths.items()}
    for name, steps in drawn.items():
        assert len(steps) == CHARTED
        for each in steps:
            assert 0.9 * CHART <= len(each) <= CHART + 2, (name, len(each))
            assert (min(each), max(each)) == (0, on.points - 1), name
    loads = {name: on.load(name, path) for name, path in paths.items()}
    work = f"chart of {CHARTED} runs, {CHART} of {on.points:,} points each"
    return on.compared("chart", work, loads)


def chart_path(run_ids: list[str]) -> str:
    asked = [*(("run_ids", each) for each in run_ids), ("metric_key", "m"), ("max_results", CHART)]
    return query("/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", *asked)


def steps_of(reply: Any) -> list[list[int]]:
    """Return the steps of each run that a reply has."""
    of: dict[str, list[int]] = {}
    for point in reply["metrics"]:
        of.setdefault(point["run_id"], []).append(int(point.get("step", 0)))
    return list(of.values())


if __name__ == "__main__":
    main()
