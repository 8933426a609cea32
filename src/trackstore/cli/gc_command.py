"""The command `trackstore gc`."""

from pathlib import Path
from typing import Annotated

import typer

from trackstore.cli.stopping import stop
from trackstore.errors import TrackstoreError

EPILOG = """
\b
Examples:
  trackstore gc sqlite:////srv/runs.db --artifacts-destination /srv/files --dry-run
  trackstore gc postgresql://tracking@db/tracking --artifacts-destination s3://models \\
      --older-than 90d --log /srv/gc.jsonl

\b
Give the options that the server was started with, and the same --log each time: what a gc that was
killed had begun is found there and finished first.
"""


def gc(
    backend_store_uri: Annotated[
        str, typer.Argument(metavar="BACKEND_URL", help="Where runs and experiments are kept.")
    ],
    *,
    artifacts_destination: Annotated[
        str, typer.Option(metavar="URL", help="As of `trackstore server`.")
    ],
    default_artifact_root: Annotated[
        str | None, typer.Option(metavar="URL", help="As of `trackstore server`.")
    ] = None,
    allow_artifact_root: Annotated[
        list[str] | None, typer.Option(metavar="PREFIX", help="As of `trackstore server`.")
    ] = None,
    older_than: Annotated[
        str,
        typer.Option(
            metavar="AGE",
            help="How long ago it must have been deleted: 30d, 12h, 1d12h; 0s for all.",
        ),
    ] = "30d",
    orphans: Annotated[
        bool,
        typer.Option(
            "--orphans",
            help="Purge files too whose run or experiment is not in the backend store. Never with "
            "a destination that other backend stores share: theirs would be taken for orphans.",
        ),
    ] = False,
    uploads_older_than: Annotated[
        str, typer.Option(metavar="AGE", help="What cut uploads left is removed after this time.")
    ] = "1d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be purged, and do nothing.")
    ] = False,
    log: Annotated[
        Path,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Where to write down what was purged, and by whom."
        ),
    ] = Path("trackstore-gc.jsonl"),
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who purges, for the log; without, account@machine."),
    ] = None,
) -> None:
    """Purge deleted runs, experiments and logged models for good, with all their files.

    What was deleted can be restored until it is purged. Runs of which a version of a registered
    model was made are left. One that fails does not stop the others; it is tried again next time,
    and the exit code is 1. May be stopped or killed at any moment, and run while servers run.
    """
    from trackstore.cli import collecting  # noqa: PLC0415 - only this command needs it

    try:
        is_good = collecting.collect(
            backend_store_uri,
            artifacts_destination,
            root=default_artifact_root,
            allowed=tuple(allow_artifact_root or ()),
            log=log,
            by=by,
            wishes=collecting.Wishes(
                older_than=older_than,
                uploads_older_than=uploads_older_than,
                find_orphans=orphans,
                dry_run=dry_run,
            ),
        )
    except TrackstoreError as error:
        stop(error)
    raise typer.Exit(0 if is_good else 1)
