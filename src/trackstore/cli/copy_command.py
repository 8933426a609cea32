"""The command `trackstore copy`."""

from typing import Annotated

import typer

from trackstore.cli.stopping import stop
from trackstore.errors import TrackstoreError

EPILOG = """
\b
Examples:
  trackstore copy mlflow:sqlite:///mlflow.db sqlite:///runs.db
  trackstore copy mlflow:postgresql://me@db/mlflow postgresql://me@db/runs \\
      --artifacts-from s3://old/mlartifacts --artifacts-to s3://new/files
  trackstore copy sqlite:///runs.db postgresql://me@db/runs

\b
A copy that was interrupted is run again. Stop the servers of both sides first: what changes
meanwhile is found by the comparison at the end.
"""


def copy(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="A backend store's URL, or mlflow: before that of an MLflow database.",
        ),
    ],
    target: Annotated[str, typer.Argument(metavar="DST", help="A backend store's URL.")],
    *,
    artifacts_to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Copy artifacts too, to this artifact store, which a server is then given as "
            "--artifacts-destination. Without it they stay where they are, and rows lead there.",
        ),
    ] = None,
    artifacts_from: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Where the source's mlflow-artifacts:/ leads, for --artifacts-to."
        ),
    ] = "./mlartifacts",
) -> None:
    """Copy experiments, runs, metrics and models into another store, and compare the two.

    Ids, names, times and what is deleted stay as they are. What is in the target stays there, and
    if an id or a name means something else in it, nothing is copied. The source is only read.
    Exits with 1 if the comparison finds a difference.
    """
    from trackstore.cli import copying  # noqa: PLC0415 - only this command needs it

    try:
        is_good = copying.run(source, target, artifacts_from, artifacts_to)
    except TrackstoreError as error:
        stop(error)
    raise typer.Exit(0 if is_good else 1)
