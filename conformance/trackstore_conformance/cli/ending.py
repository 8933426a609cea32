"""How a command ends that could not do what it was asked."""

import typer

CANNOT = 2
"""The exit code of a command that could not begin."""


def fail(said: str, code: int = CANNOT) -> typer.Exit:
    """Print what went wrong, and return what is to be raised."""
    typer.echo(f"error: {said}", err=True)
    return typer.Exit(code)
