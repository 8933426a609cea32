"""The commands and their options.  What they need is imported when they run: a start is quick."""

from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from trackstore.cli.installed import WithInstalled
from trackstore.errors import TrackstoreError

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
                pin=pin,
            )
        )
    except TrackstoreError as error:
        _stop(error)


@app.command()
def backends() -> None:
    """List the installed stores: their URL scheme, what they guarantee, and what they can do.

    A store whose package is missing is listed with the line that installs it.
    """
    from trackstore.cli import listing  # noqa: PLC0415 - only this command needs it

    listing.print_stores()


def _stop(error: TrackstoreError) -> NoReturn:
    typer.echo(f"error: {error}", err=True)
    raise typer.Exit(1) from error
