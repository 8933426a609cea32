"""The commands and their options.  What they need is imported when they run: a start is quick."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from trackstore.cli.copy_command import EPILOG as COPY_EPILOG
from trackstore.cli.copy_command import copy
from trackstore.cli.files_commands import app as artifacts_app
from trackstore.cli.gc_command import EPILOG as GC_EPILOG
from trackstore.cli.gc_command import gc
from trackstore.cli.installed import WithInstalled
from trackstore.cli.stopping import stop
from trackstore.errors import TrackstoreError
from trackstore.server.settings import LogFormat

_EPILOG = """
\b
Examples:
  trackstore server
  trackstore server --backend-store-uri sqlite:////srv/runs.db --artifacts-destination /srv/files
  trackstore server --host 0.0.0.0 --allowed-hosts ml.example.com --static-prefix /tracking

\b
Then, in Python:
  mlflow.set_tracking_uri("http://127.0.0.1:5000")
"""

_CHECK_EPILOG = """
\b
Examples:
  trackstore check sqlite:////srv/runs.db
  trackstore check postgresql://tracking@db.example.com/tracking
  trackstore check --artifacts ./artifacts
"""
_UPGRADE_EPILOG = """
\b
Example:
  trackstore upgrade postgresql://tracking@db.example.com/tracking
"""
_EXPORT_EPILOG = """
\b
Examples:
  trackstore points export sqlite:////srv/runs.db 5f0c...e1 loss accuracy --output run.csv
  trackstore points export sqlite:////srv/runs.db 5f0c...e1 | gzip > all.csv.gz
"""
_Url = Annotated[
    str,
    typer.Argument(metavar="URL", help="The store; `trackstore backends` lists which there are."),
]

app = typer.Typer(
    name="trackstore",
    cls=WithInstalled,
    help="The storage layer of ML experiment tracking.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its tables cut long option names off
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"trackstore {version('trackstore')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """The storage layer of ML experiment tracking."""


@app.command(epilog=_EPILOG)
def server(
    *,
    backend_store_uri: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Where experiments, runs and metrics are kept. `trackstore backends` lists what "
            "is installed.",
        ),
    ] = "sqlite:///trackstore.db",
    artifacts_destination: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Where files that clients send through the server are kept: a folder or a URL.",
        ),
    ] = "./artifacts",
    default_artifact_root: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where new experiments keep their files. Clients write there directly, unless it "
            "is mlflow-artifacts:/, the default, which leads through this server to "
            "--artifacts-destination. The choice of the first start is kept.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 picks a free one.")
    ] = 5000,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            help="Processes. One serves SQLite best, since one file has one writer at a time.",
        ),
    ] = 1,
    static_prefix: Annotated[
        str,
        typer.Option(metavar="PATH", help="A path before every route, such as /mlflow."),
    ] = "",
    allowed_hosts: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Host names, besides localhost and --host, by which clients may call the server: "
            "ml.example.com,*.lab.example.com, or * for all.",
        ),
    ] = "",
    allow_artifact_root: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX",
            help="A prefix under which clients may choose artifact locations of their own; may be "
            "given several times.",
        ),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option(
            help="Let clients send and fetch large files directly, by URLs that the artifact store "
            "signs for minutes. Turn it off where clients cannot reach that store."
        ),
    ] = True,
    serve_stores: Annotated[
        bool,
        typer.Option(
            "--serve-stores",
            help="Let other machines use the stores themselves, by http:// URLs: whoever reaches "
            "this server can then do what whoever knows the stores' URLs can.",
        ),
    ] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(help="How events are written to standard error: as text, or as JSON."),
    ] = LogFormat.TEXT,
    access_log: Annotated[
        bool,
        typer.Option(
            "--access-log",
            help="Log a line for each request: its path and how it ended, never its query or body.",
        ),
    ] = False,
    pin: Annotated[
        bool,
        typer.Option(
            help="Run each worker's Python on one CPU, which doubles the rate of small writes. "
            "Turn it off where other busy programs are bound to the same CPUs."
        ),
    ] = True,
) -> None:
    """Serve MLflow's REST API: `mlflow` clients log to it as they would to `mlflow server`.

    Without options, experiments go to the file trackstore.db and artifacts to the folder
    artifacts, both in the current folder, and only this machine can reach the server.
    """
    from trackstore.cli import serving  # noqa: PLC0415 - only this command needs it

    try:
        serving.run(
            serving.settings(
                backend=backend_store_uri,
                artifacts=artifacts_destination,
                artifact_root=default_artifact_root,
                allowed_roots=tuple(allow_artifact_root or ()),
                host=host,
                port=port,
                workers=workers,
                static_prefix=static_prefix,
                allowed_hosts=allowed_hosts,
                direct=direct,
                serve_stores=serve_stores,
                log_format=log_format,
                access_log=access_log,
                pin=pin,
            )
        )
    except TrackstoreError as error:
        stop(error)


@app.command()
def backends() -> None:
    """List the installed stores: their URL scheme, what they guarantee, and what they can do.

    A store whose package is missing is listed with the line that installs it.
    """
    from trackstore.cli import listing  # noqa: PLC0415 - only this command needs it

    listing.print_stores()


@app.command(epilog=_CHECK_EPILOG)
def check(
    url: _Url,
    *,
    artifacts: Annotated[
        bool,
        typer.Option("--artifacts", help="The URL is that of an artifact store."),
    ] = False,
) -> None:
    """Try a store out: write a probe, read it back, find it, and remove it.

    Says what each step did, and of one that failed what to do. What the store holds is not
    touched, and nothing is left behind, except that a store which is not there yet is made. Exits
    with 1 if a step failed.
    """
    from trackstore.cli import checking  # noqa: PLC0415 - only this command needs it

    try:
        is_good = checking.check(url, artifacts=artifacts)
    except TrackstoreError as error:
        stop(error)
    raise typer.Exit(0 if is_good else 1)


@app.command(epilog=_UPGRADE_EPILOG)
def upgrade(url: _Url) -> None:
    """Bring the schema of a backend store up to date, or make it, and say from which it was.

    A store does so by itself at its first call; with this command you choose when, such as before
    new servers start. May be run by many at once, and again if it was killed. Servers of the old
    release should be stopped before: they refuse what is newer than they are.
    """
    from trackstore.cli import upgrading  # noqa: PLC0415 - only this command needs it

    try:
        typer.echo(upgrading.upgrade(url))
    except TrackstoreError as error:
        stop(error)


points_app = typer.Typer(help="The points of metrics.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(points_app, name="points")
app.add_typer(artifacts_app, name="artifacts")
app.command(epilog=GC_EPILOG)(gc)
app.command(epilog=COPY_EPILOG)(copy)


@points_app.callback()
def points() -> None:
    """The points of metrics."""


@points_app.command(epilog=_EXPORT_EPILOG)
def export(
    url: _Url,
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run.")],
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY", help="Metrics; all of them without any.")
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Where to write, and not to the screen."),
    ] = None,
) -> None:
    """Write the points of a run's metrics as CSV: key, step, timestamp in ms, value.

    They come in the order of their steps, a page at a time, so that a history of any length can be
    exported. Values are exact; those that are no numbers are nan, inf and -inf.
    """
    from trackstore.cli import points as exporting  # noqa: PLC0415 - only this command needs it

    try:
        exporting.export(url, run_id, keys or (), output)
    except TrackstoreError as error:
        stop(error)
