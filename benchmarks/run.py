"""Measure trackstore beside MLflow, in one run on the same database, and print the table.

    tox -e bench                             SQLite, a quarter of an hour; rewrites a table
    tox -e bench -- --database postgres      the same on PostgreSQL, or on mariadb
    tox -e bench -- --ram                    the stores' part on a RAM disk, without waits for one
    tox -e bench -- --quick                  a look, about two minutes; writes nothing
    tox -e bench -- --only search --only metric
    tox -e bench -- --only growth            how a search of 1,000,000 runs compares with 10,000

All databases are on the same disk, MLflow's with its own settings; those of trackstore and of the
bare driver sync every commit.  Figures are rates per second, the median of rounds that take turns.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import history
import machine
import servers
import stores
import table
from databases import DATABASES, Database
from interleaved import Result
from table import Part

RAM = Path("/dev/shm")
IN_RAM = ("metric", "batch", "params", "create")
ASKED_FOR = ("growth",)
"""What takes too long to be a part of every run."""


def main() -> None:
    arguments = parsed()
    place = RAM if arguments.ram else None
    with (
        tempfile.TemporaryDirectory(prefix="trackstore-bench-", dir=place) as name,
        DATABASES[arguments.database](Path(name)) as database,
    ):
        folder = Path(name)
        every = parts(database, folder, quick=arguments.quick)
        usual = IN_RAM if arguments.ram else [each for each in every if each not in ASKED_FOR]
        head = machine.describe(folder, database.version)
        results = table.measured(head, every, arguments.only or usual)
    if table.is_written(arguments):
        table.write("ram" if arguments.ram else arguments.database, head, results)


def parsed() -> argparse.Namespace:
    parser = table.parser(__doc__)
    parser.add_argument("--ram", action="store_true", help="put SQLite's files on a RAM disk")
    arguments = parser.parse_args()
    if arguments.ram and arguments.database != "sqlite":
        parser.error("--ram is for SQLite, whose files are in the benchmark's own folder")
    return arguments


def parts(database: Database, folder: Path, *, quick: bool) -> dict[str, Part]:
    rounds, seconds = (3, 0.5) if quick else (7, 2.0)
    logging = {
        "metric": stores.one_metric,
        "batch": stores.thousand_metrics,
        "params": stores.params_and_tags,
        "create": stores.create_and_finish,
        "crowd": stores.many_processes,
    }
    sizes = (5_000, 50_000) if quick else (10_000, 1_000_000)
    return {
        **{name: logged(work, database, folder, seconds, rounds) for name, work in logging.items()},
        "search": lambda: searches(database, folder, 10_000 if quick else 100_000),
        "history": lambda: histories(database, folder, 100_000 if quick else 1_000_000),
        "growth": lambda: iter([stores.growth(database, folder, sizes)]),
        **(of_servers(folder, quick=quick) if database.name == "sqlite" else {}),
    }


def logged(
    work: Callable[[stores.Subjects, float, int], Result],
    database: Database,
    folder: Path,
    seconds: float,
    rounds: int,
) -> Part:
    def part() -> Iterator[Result]:
        with closing(stores.Subjects(database, folder)) as on:
            yield work(on, seconds, rounds)

    return part


def searches(database: Database, folder: Path, size: int) -> Iterator[Result]:
    with closing(stores.Searched(database, folder, size)) as on:
        for which in stores.SEARCHES:
            yield stores.filtered_search(on, which, 3)


def histories(database: Database, folder: Path, size: int) -> Iterator[Result]:
    with closing(history.Histories(database, folder, size)) as on:
        for work in (history.as_columns, history.as_points, history.chart):
            yield work(on, 3)


def of_servers(folder: Path, *, quick: bool) -> dict[str, Part]:
    rounds = 3 if quick else 7
    return {
        "import": lambda: iter([servers.import_time(rounds)]),
        "start": lambda: iter([servers.start_up(folder, 3 if quick else 5)]),
    }


if __name__ == "__main__":
    main()
