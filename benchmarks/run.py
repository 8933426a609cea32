"""Measure trackstore beside MLflow, in one run on the same database, and print the table.

    tox -e bench                             SQLite, a quarter of an hour; rewrites a table
    tox -e bench -- --database postgres      the same on PostgreSQL, or on mariadb
    tox -e bench -- --ram                    the stores' part on a RAM disk, without waits for one
    tox -e bench -- --quick                  a look, about two minutes; writes nothing
    tox -e bench -- --only search --only http
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
from databases import DATABASES, Database
from interleaved import HEADER, Result

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"
RAM = Path("/dev/shm")
IN_RAM = ("metric", "batch", "params", "create")
ASKED_FOR = ("growth",)
"""What takes too long to be a part of every run."""


def main() -> None:
    arguments = parsed()
    only = arguments.only or (IN_RAM if arguments.ram else None)
    place = RAM if arguments.ram else None
    with (
        tempfile.TemporaryDirectory(prefix="trackstore-bench-", dir=place) as name,
        DATABASES[arguments.database](Path(name)) as database,
    ):
        folder = Path(name)
        head = machine.describe(folder, database.version)
        print(f"{head}\n\n{HEADER}")
        results = [
            result
            for title, part in parts(database, folder, quick=arguments.quick).items()
            if (title in only if only else title not in ASKED_FOR)
            for result in part()
        ]
    if arguments.write or not (arguments.quick or arguments.only):
        write("ram" if arguments.ram else arguments.database, head, results)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--ram", action="store_true", help="put SQLite's files on a RAM disk")
    parser.add_argument("--only", action="append", help="a part: metric, batch, params, ...")
    parser.add_argument("--write", action="store_true", help="write the parts that were run")
    arguments = parser.parse_args()
    if arguments.ram and arguments.database != "sqlite":
        parser.error("--ram is for SQLite, whose files are in the benchmark's own folder")
    return arguments


Part = Callable[[], Iterator[Result]]


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
        "http": lambda: iter([servers.log_over_http(folder, 3 if quick else 8, rounds)]),
        "import": lambda: iter([servers.import_time(rounds)]),
        "start": lambda: iter([servers.start_up(folder, 3 if quick else 5)]),
    }


def write(title: str, head: str, results: list[Result]) -> None:
    begin, end = BEGIN.format(title), END.format(title)
    before, _, rest = PAGE.read_text().partition(begin)
    _, _, after = rest.partition(end)
    table = "\n".join([HEADER, *(result.row() for result in results)])
    PAGE.write_text(f"{before}{begin}\n{head}\n\n{table}\n{end}{after}")


if __name__ == "__main__":
    main()
