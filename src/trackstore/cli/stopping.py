"""How a command ends that cannot go on."""

from typing import NoReturn

import typer

from trackstore.errors import TrackstoreError


def stop(error: TrackstoreError) -> NoReturn:
    typer.echo(f"error: {error}", err=True)
    raise typer.Exit(1) from error
