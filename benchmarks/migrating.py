"""Measure `trackstore copy` of an MLflow database into another of its kind, and write the table.

    python benchmarks/migrating.py            half a million points on each database
    python benchmarks/migrating.py --quick    a fifth of them; writes nothing

A point counts as copied when the command has ended, which reads both sides once more and compares
them.
"""

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import machine
from databases import DATABASES, Database
from history import insert_points
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from servers import BIN
from table import write_text

KEYS = 10
PER_KEY = 1_000
ROUNDS = 3
TARGET = 100_000
HEADER = """\
| `trackstore copy` of | points per s | over the rounds | target |
|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=list(DATABASES))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackstore-bench-") as name:
        head = machine.describe(Path(name), ", ".join(DATABASES))
        names = arguments.only or list(DATABASES)
        rows = [row(Path(name), each, 10 if arguments.quick else 50) for each in names]
    if not arguments.quick and not arguments.only:
        write_text("migrating", "\n".join([head, "", HEADER, *rows]))


def row(folder: Path, name: str, runs: int) -> str:
    with DATABASES[name](folder) as database:
        source = database.make("mlflow")
        size = fill(database, source, folder, runs)
        rates = sorted(copies(database, source, size))
        told = f"{statistics.median(rates):,.0f} | {rates[0]:,.0f} to {rates[-1]:,.0f}"
        line = f"| {size:,} points in {runs} runs, {database.version} | {told} | {TARGET:,} |"
    print(line, flush=True)
    return line


def fill(database: Database, source: str, folder: Path, runs: int) -> int:
    """Write runs of several keys each, and return how many points that is."""
    store = SqlAlchemyStore(database.mlflows(source), str(folder / "mlruns"))
    experiment = store.create_experiment("migrating")
    for number in range(runs):
        run = store.create_run(experiment, "u", 1, [], f"r{number}").info.run_id
        for key in range(KEYS):
            insert_points(store, run, PER_KEY, f"m{key}")
    store.engine.dispose()
    return runs * KEYS * PER_KEY


def copies(database: Database, source: str, size: int) -> Iterator[float]:
    """Yield points a second, each time into a new database; all of them have to arrive."""
    for _ in range(ROUNDS):
        command = [str(BIN / "trackstore"), "copy", f"mlflow:{source}", database.make("copy")]
        begun = perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        spent = perf_counter() - begun
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{size:,} points" in done.stdout, done.stdout
        yield size / spent


if __name__ == "__main__":
    main()
