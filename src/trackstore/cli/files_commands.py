"""The commands of `trackstore artifacts`."""

from pathlib import Path
from typing import Annotated

import typer

from trackstore.cli.stopping import stop
from trackstore.errors import TrackstoreError

_EPILOG = """
\b
Examples:
  trackstore artifacts list s3://models --recursive
  trackstore artifacts put s3://models ./checkpoint 3855/7a0c/artifacts/checkpoint
  trackstore artifacts get s3://models 3855/7a0c/artifacts/checkpoint ./here
  trackstore artifacts versions ./artifacts 3855/7a0c/artifacts/best.pt
  trackstore artifacts get ./artifacts 3855/7a0c/artifacts/best.pt --version ID

\b
URL is what a server is started with as --artifacts-destination; a run's files are there under
EXPERIMENT_ID/RUN_ID/artifacts. `trackstore backends` lists which stores there are.
"""

app = typer.Typer(
    help="Look at the files of an artifact store, and move them to and from it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=_EPILOG,
)
_Url = Annotated[
    str, typer.Argument(metavar="URL", help="The artifact store: a local folder, s3://bucket/...")
]
_Path = Annotated[str, typer.Argument(metavar="PATH", help="A file or folder in the store.")]
_Workers = Annotated[
    int, typer.Option(min=1, max=64, metavar="N", help="Files of a folder that are moved at once.")
]


@app.callback()
def artifacts() -> None:
    """Look at the files of an artifact store, and move them to and from it."""


@app.command("list")
def list_files(
    url: _Url,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A folder; the root without.")] = "",
    *,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="All files below it, and no folders.")
    ] = False,
) -> None:
    """List what is in a folder: size in bytes and path, sorted by path; folders end in /."""
    from trackstore.cli import files  # noqa: PLC0415 - only this command needs it

    try:
        files.show_files(url, path.rstrip("/"), recursive=recursive)
    except TrackstoreError as error:
        stop(error)


@app.command()
def get(
    url: _Url,
    path: _Path,
    destination: Annotated[
        Path | None,
        typer.Argument(
            metavar="DESTINATION",
            help="Where it goes on this machine; without, under its own name in this folder.",
        ),
    ] = None,
    *,
    version: Annotated[
        str | None,
        typer.Option(metavar="ID", help="An old version, as `trackstore artifacts versions` lists"),
    ] = None,
    workers: _Workers = 8,
) -> None:
    """Download a file, or a folder with all that is in it.

    It appears under its name when it is complete: after a failure or Ctrl-C nothing of it is left.
    A file replaces one that is there; a folder is never mixed with another.
    """
    from trackstore.cli import files  # noqa: PLC0415 - only this command needs it

    try:
        files.get(url, path.rstrip("/"), destination, version, workers)
    except TrackstoreError as error:
        stop(error)


@app.command()
def put(
    url: _Url,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A local file or folder.")],
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            help="Under which name it goes into the store; without, a file keeps its own, and what "
            "is in a folder goes into the root.",
        ),
    ] = None,
    *,
    workers: _Workers = 8,
) -> None:
    """Upload a file, or all files of a folder.

    Each file is seen whole or not at all, and replaces one that is there, which stays a version
    where the store keeps versions. Links are refused: upload what they lead to. After a failure or
    Ctrl-C the files that were complete stay; the same command goes over all again.
    """
    from trackstore.cli import files  # noqa: PLC0415 - only this command needs it

    try:
        files.put(url, source, path and path.rstrip("/"), workers)
    except TrackstoreError as error:
        stop(error)


@app.command()
def versions(url: _Url, path: _Path) -> None:
    """List the versions of a file: when each was written, its size in bytes, and its id.

    The newest comes first. The ids are for `trackstore artifacts get --version`.
    """
    from trackstore.cli import files  # noqa: PLC0415 - only this command needs it

    try:
        files.show_versions(url, path)
    except TrackstoreError as error:
        stop(error)
