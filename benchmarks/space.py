"""Measure what a point takes on each database, and write the table.

    python benchmarks/space.py            a million points, some minutes
    python benchmarks/space.py --quick    a tenth of them; writes nothing

All pages that belong to the points are counted, indexes included.  Where sealing has freed pages
that the database keeps for what comes next, it is asked to give them back first.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import machine
from databases import DATABASES, Database
from history import Histories, points
from sqlalchemy import create_engine, text
from table import write_text

import trackstore
from trackstore import Metric

ALL_LOOSE = 4_000
"""So few points of a key are not worth sealing while the run goes on."""
HEADER = """\
| bytes per point | loose | sealed | MLflow | target, loose and sealed |
|---|---|---|---|---|"""
TARGETS = {"sqlite": "32 and 9", "postgres": "145 and 10", "mariadb": "95 and 10"}
GIVEN_BACK = {"postgres": "vacuum full {}", "mariadb": "optimize table {}"}
SETTLED = {"mariadb": "analyze table {}"}
SIZE = {
    "sqlite": "select sum(pgsize) from dbstat join sqlite_master using (name) "
    "where tbl_name = :name",
    "postgres": "select pg_total_relation_size(cast(:name as regclass))",
    "mariadb": "select data_length + index_length from information_schema.tables "
    "where table_schema = database() and table_name = :name",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="trackstore-bench-") as name:
        head = machine.describe(Path(name), f"{', '.join(DATABASES)}")
        lines = [head, "", HEADER, *rows(Path(name), 100_000 if quick else 1_000_000)]
    if not quick:
        write_text("space", "\n".join(lines))


def rows(folder: Path, size: int) -> Iterator[str]:
    for name, opened in DATABASES.items():
        with opened(folder) as database:
            taken = (each / size for each in bytes_of(database, folder, size))
            told = " | ".join(f"{each:.1f}" for each in taken)
            row = f"| {database.version} | {told} | {TARGETS[name]} |"
        print(row, flush=True)
        yield row


def bytes_of(database: Database, folder: Path, size: int) -> tuple[int, int, int]:
    """Return the bytes of so many points: loose, sealed, and MLflow's."""
    loose = database.make("loose")
    with trackstore.open(loose, artifacts=str(folder / "artifacts")) as tracker:
        run_id = tracker.create_run("0").id
        for part in range(size // ALL_LOOSE):
            key = f"m{part}"
            kept = [Metric(key, p.value, p.timestamp, p.step) for p in points(ALL_LOOSE)]
            tracker.log(run_id, metrics=kept)
    with closing(Histories(database, folder, size)) as on:
        assert on.our_run
        assert on.mlflow_run
    sealed = taken(database, on.url, "chunks", "points", give_back=True)
    return taken(database, loose, "points"), sealed, taken(database, on.mlflow_url, "metrics")


def taken(database: Database, url: str, *tables: str, give_back: bool = False) -> int:
    """Return how many bytes the pages of some tables and their indexes have."""
    before = [GIVEN_BACK] * give_back + [SETTLED]
    engine = create_engine(database.mlflows(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in tables:
            for statement in (each[database.name] for each in before if database.name in each):
                connection.execute(text(statement.format(name)))
        found = [connection.execute(text(SIZE[database.name]), {"name": each}) for each in tables]
        total = sum(int(each.scalar_one()) for each in found)
    engine.dispose()
    return total


if __name__ == "__main__":
    main()
