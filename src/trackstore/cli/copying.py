"""`trackstore copy`: one store into another, with how far it is."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from trackstore.copying.copier import Copier, Counts
from trackstore.copying.opening import open_source
from trackstore.copying.places import Leave, Move
from trackstore.copying.verifying import Checked, Verifier
from trackstore.registry import open_backend_store

_SHOWN = 20


def run(source: str, target: str, artifacts_from: str, artifacts_to: str | None) -> bool:
    """Copy and compare; tell if both sides are the same."""
    with (
        closing(open_source(source)) as read,
        open_backend_store(target) as written,
        _places(artifacts_from, artifacts_to) as places,
        _progress() as progress,
    ):
        task = progress.add_task("", text="looking for clashes")
        copier = Copier(read, written, places, lambda now: progress.update(task, text=_told(now)))
        copier.check()
        copier.copy()
        progress.update(task, text="comparing")
        checked = Verifier(read, written, places).verify()
    typer.echo(f"copied: {_told(copier.counts)}")
    for line in _lines(checked):
        typer.echo(line)
    return not checked.differences


@contextmanager
def _places(artifacts_from: str, artifacts_to: str | None) -> Iterator[Leave | Move]:
    if artifacts_to is None:
        yield Leave()
    else:
        with closing(Move(artifacts_from, artifacts_to)) as places:
            yield places


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )


def _told(counts: Counts) -> str:
    told = [
        f"{getattr(counts, name):,} {name.replace('_', ' ')}"
        for name in counts.__struct_fields__
        if getattr(counts, name)
    ]
    return ", ".join(told) or "nothing"


def _lines(checked: Checked) -> Iterator[str]:
    if checked.duplicates:
        yield f"{checked.duplicates:,} points are in the source twice, and in the target once"
    for what in checked.differences[:_SHOWN]:
        yield f"differs: {what}"
    if (more := len(checked.differences) - _SHOWN) > 0:
        yield f"and {more:,} more differences"
    if not checked.differences:
        files = f" and {checked.files:,} files" if checked.files else ""
        yield f"compared: all fields, and the checksums of {checked.points:,} points{files}, agree"
