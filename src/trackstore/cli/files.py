"""`trackstore artifacts`: look at what an artifact store holds, and move files to and from it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from trackstore import limits, parallel
from trackstore.artifacts import ArtifactFolder
from trackstore.errors import InvalidRequest, NotFound
from trackstore.model import ArtifactInfo
from trackstore.registry import open_artifact_store

Tell = Callable[[parallel.Progress], object]


@contextmanager
def opened(url: str) -> Iterator[ArtifactFolder]:
    with open_artifact_store(url) as store:
        yield ArtifactFolder(store)


def show_files(url: str, path: str, *, recursive: bool) -> None:
    """Print one line for each file, and for each folder its name with a slash."""
    with opened(url) as folder:
        number = 0
        for info in folder.walk(path) if recursive else _level(folder, path):
            size = "-" if info.size is None else f"{info.size:,}"
            typer.echo(f"{size:>15}  {info.path}{'/' if info.is_folder else ''}")
            number += 1
        if path and not number:
            what = folder.stat(path)  # raises NotFound, unless it is a file
            typer.echo(f"{what.size or 0:>15,}  {what.path}")


def _level(folder: ArtifactFolder, path: str) -> Iterator[ArtifactInfo]:
    token = None
    while True:
        page = folder.list(path, page_token=token)
        yield from page.items
        if (token := page.next) is None:
            return


def show_versions(url: str, path: str) -> None:
    """Print the versions of a file, the newest first."""
    with opened(url) as folder:
        token, number = None, 0
        while True:
            page = folder.versions(path, page_token=token)
            for each in page.items:
                when = datetime.fromtimestamp(each.time / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
                newest = "" if number else "  (newest)"
                typer.echo(f"{when}  {each.size:>15,}  {each.id}{newest}")
                number += 1
            if (token := page.next) is None:
                break
        if not number:
            raise NotFound(f"there is no file {limits.shown(path)}")


def get(url: str, path: str, destination: Path | None, version: str | None, workers: int) -> None:
    """Download a file or a folder, and say where it is."""
    target = destination or Path(path.rpartition("/")[2] or ".")
    if target.is_dir() and any(target.iterdir()):
        target /= path.rpartition("/")[2]
    with opened(url) as folder, _told("down") as tell, _local_errors():
        folder.download(path, target, version=version, workers=workers, progress=tell)
    typer.echo(os.fspath(target))


def put(url: str, source: Path, path: str | None, workers: int) -> None:
    """Upload a file or a folder, and say where it is."""
    target = path if path or source.is_dir() else source.name
    with opened(url) as folder, _told("up") as tell, _local_errors():
        folder.upload(source, target, workers=workers, progress=tell)
    typer.echo(target or "the root")


@contextmanager
def _local_errors() -> Iterator[None]:
    """What the disk of this machine says is told as what it is, and not as the store's error."""
    try:
        yield
    except OSError as error:
        name = f" {os.fsdecode(error.filename)!r}" if error.filename else ""
        raise InvalidRequest(f"the local file{name}: {error.strerror or error}") from error


@contextmanager
def _told(direction: str) -> Iterator[Tell]:
    """Show a bar while files are moved; it is of bytes, since files differ."""
    with Progress(
        TextColumn("{task.fields[files]}", markup=False),
        BarColumn(32),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        task = shown.add_task("", total=None, files=direction)

        def tell(now: parallel.Progress) -> None:
            total = now.bytes_found if now.is_counted else None
            files = f"{now.files:,} of {now.files_found:,}{'' if now.is_counted else '+'}"
            shown.update(task, completed=now.bytes, total=total, files=files)

        yield tell
