"""Write the points of a run's metrics as rows, for programs that read tables."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from trackstore import limits
from trackstore.errors import InvalidRequest, NotFound
from trackstore.history import metric_columns
from trackstore.model import MetricColumns, MetricCursor
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

HEADER = ("key", "step", "timestamp", "value")


def export(url: str, run_id: str, keys: Sequence[str], output: Path | None) -> None:
    """Write the points of some keys, or of all, a page at a time."""
    with open_backend_store(url) as store:
        wanted = _wanted(store, run_id, keys)
        with _opened(output) as file, _progress(output) as progress:
            told = progress.add_task("", key="", points="0")
            written = 0
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            for key in wanted:
                for page in _pages(store, run_id, key):
                    writer.writerows(zip(repeat(key), page.steps, page.timestamps, page.values))
                    written += len(page.steps)
                    progress.update(told, key=key, points=f"{written:,}")


def _wanted(store: BackendStore, run_id: str, keys: Sequence[str]) -> Sequence[str]:
    logged = store.get_run(run_id).metrics
    for key in keys:
        if key not in logged:
            raise NotFound(f"the run has no metric {limits.shown(key)}")
    return keys or sorted(logged)


def _pages(store: BackendStore, run_id: str, key: str) -> Iterator[MetricColumns[MetricCursor]]:
    after = None
    while True:
        page = metric_columns(store, run_id, key, after, limits.COLUMNS_PAGE)
        yield page
        if (after := page.next) is None:
            return


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidRequest(f"cannot write {output.name!r}: {error.strerror}") from error
    with file:
        yield file


def _progress(output: Path | None) -> Progress:
    """Return a line that tells how far it is, unless it would stand among the rows."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[points]} points  {task.fields[key]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        disable=output is None and sys.stdout.isatty(),
    )
