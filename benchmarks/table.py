"""A table of docs/performance.md: its parts, what is run of them, and where it is written."""

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from databases import DATABASES
from interleaved import HEADER, Result

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"

Part = Callable[[], Iterator[Result]]


def parser(about: str | None, databases: Collection[str] = DATABASES) -> argparse.ArgumentParser:
    """Return what every table's command understands."""
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--database", choices=list(databases), default="sqlite")
    made.add_argument("--quick", action="store_true", help="a look: less work, fewer rounds")
    made.add_argument("--only", action="append", help="a part of the table; may be repeated")
    made.add_argument("--write", action="store_true", help="write the parts that were run")
    return made


def measured(head: str, parts: Mapping[str, Part], only: Collection[str]) -> list[Result]:
    """Run the parts that are asked for, and print each as soon as it is known."""
    if unknown := set(only) - set(parts):
        raise SystemExit(f"no such part: {', '.join(unknown)}; there are {', '.join(parts)}")
    print(f"{head}\n\n{HEADER}", flush=True)
    return [result for name, part in parts.items() if name in only for result in part()]


def is_written(arguments: argparse.Namespace) -> bool:
    """Tell whether the run was whole, or is to be written though it was not."""
    return bool(arguments.write or not (arguments.quick or arguments.only))


def write(title: str, head: str, results: list[Result]) -> None:
    write_text(title, "\n".join([head, "", HEADER, *(result.row() for result in results)]))


def write_text(title: str, text: str) -> None:
    """Put a text between the page's two marks of this title."""
    begin, end = BEGIN.format(title), END.format(title)
    before, found, rest = PAGE.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    assert found, f"{PAGE} has no {begin}"
    assert closed, f"{PAGE} has no {end}"
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")
