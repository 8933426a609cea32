"""The commands of the suite: `trackstore conformance ...`."""

import typer

from trackstore_conformance.cli.compare import compare
from trackstore_conformance.cli.explain import explain
from trackstore_conformance.cli.replay import replay
from trackstore_conformance.cli.run import run
from trackstore_conformance.cli.selftest import selftest
from trackstore_conformance.cli.smoke import smoke

app = typer.Typer(
    name="conformance",
    help="What a store must promise, and whether it does.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its tables cut long option names off
    pretty_exceptions_enable=False,
)


@app.callback()
def options() -> None:
    """What a store must promise, and whether it does."""


for command in (run, smoke, explain, replay, compare, selftest):
    app.command()(command)
