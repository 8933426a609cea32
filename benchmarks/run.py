"""Measure trackstore beside MLflow on SQLite, in one run, and print the table.

    tox -e bench                 the whole, about ten minutes; rewrites docs/performance.md
    tox -e bench -- --ram        the stores' part on a RAM disk, where a commit waits for nothing
    tox -e bench -- --quick      a look, about two minutes; writes nothing
    tox -e bench -- --only search --only http

Both databases are on the same disk, MLflow's with its own settings, trackstore's in WAL mode with
synchronous=FULL.  Figures are rates per second, the median of rounds that take turns.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import machine
import servers
import stores
from interleaved import HEADER, Result

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"
RAM = Path("/dev/shm")
IN_RAM = ("metric", "batch", "params", "create")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--ram", action="store_true", help="put the databases on a RAM disk")
    parser.add_argument("--only", action="append", help="a part: metric, batch, params, ...")
    arguments = parser.parse_args()
    only = arguments.only or (IN_RAM if arguments.ram else None)
    place = RAM if arguments.ram else None
    with tempfile.TemporaryDirectory(prefix="trackstore-bench-", dir=place) as name:
        folder = Path(name)
        head = machine.describe(folder)
        print(f"{head}\n\n{HEADER}")
        results = [
            part()
            for title, part in parts(folder, quick=arguments.quick).items()
            if only is None or title in only
        ]
    if not arguments.quick and arguments.only is None:
        write("ram" if arguments.ram else "disk", head, results)


def parts(folder: Path, *, quick: bool) -> dict[str, Callable[[], Result]]:
    rounds, seconds = (3, 0.5) if quick else (7, 2.0)
    size = 10_000 if quick else 100_000
    subjects = stores.Subjects(folder)
    return {
        "metric": lambda: stores.one_metric(subjects, seconds, rounds),
        "batch": lambda: stores.thousand_metrics(subjects, seconds, rounds),
        "params": lambda: stores.params_and_tags(subjects, seconds, rounds),
        "create": lambda: stores.create_and_finish(subjects, seconds, rounds),
        "search": lambda: stores.filtered_search(folder, size, 3),
        "http": lambda: servers.log_over_http(folder, 3 if quick else 8, rounds),
        "import": lambda: servers.import_time(rounds),
        "start": lambda: servers.start_up(folder, 3 if quick else 5),
    }


def write(title: str, head: str, results: list[Result]) -> None:
    begin, end = BEGIN.format(title), END.format(title)
    before, _, rest = PAGE.read_text().partition(begin)
    _, _, after = rest.partition(end)
    table = "\n".join([HEADER, *(result.row() for result in results)])
    PAGE.write_text(f"{before}{begin}\n{head}\n\n{table}\n{end}{after}")


if __name__ == "__main__":
    main()
