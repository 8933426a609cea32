"""Commands that other packages bring, such as the suite's `trackstore conformance`.

A package registers a typer app in its own distribution, with one line:

    [project.entry-points."trackstore.commands"]
    conformance = "my_package.cli:app"

It is imported when its command is used, and not to list it.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from trackstore.errors import InvalidRequest, TrackstoreError, Unsupported

COMMANDS = "trackstore.commands"


class WithInstalled(TyperGroup):
    """A group that has the commands of other packages beside its own, which go first."""

    def list_commands(self, ctx: Any) -> list[str]:
        own = super().list_commands(ctx)
        return [*own, *sorted(entry_points(group=COMMANDS).names - {*own})]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        claims = () if own else tuple(entry_points(group=COMMANDS, name=cmd_name))
        return InstalledCommand(claims) if claims else own


class InstalledCommand(TyperCommand):
    """A command in another package, which is found and parsed when it is called."""

    def __init__(self, claims: tuple[EntryPoint, ...]) -> None:
        name = claims[0].name
        super().__init__(name, short_help=f"See `trackstore {name} --help`.")
        self.claims = claims

    def make_context(self, *args: Any, **extra: Any) -> Any:
        try:
            command = get_command(_load(self.claims))
        except TrackstoreError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error
        return command.make_context(*args, **extra)


def _load(claims: tuple[EntryPoint, ...]) -> typer.Typer:
    entry, *rivals = claims
    if rivals:
        named = ", ".join(sorted(each.value for each in claims))
        raise InvalidRequest(f"more than one package brings the command {entry.name}: {named}")
    try:
        loaded: typer.Typer = entry.load()
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"{entry.name} needs the package {error.name!r}: {_install_line(entry)}"
        ) from error
    return loaded


def _install_line(entry: EntryPoint) -> str:
    """Name the distribution that brings the command, with its extra of the same name."""
    if entry.dist is None:
        return f"install what {entry.value} imports"
    extras = entry.dist.metadata.get_all("Provides-Extra") or ()
    extra = f"[{entry.name}]" if entry.name in extras else ""
    return f"pip install '{entry.dist.name}{extra}'"
