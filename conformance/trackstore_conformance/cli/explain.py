from typing import Annotated

import typer

from trackstore_conformance import explain as explaining
from trackstore_conformance.cli.ending import fail
from trackstore_conformance.spec import find_rule


def explain(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="An id such as B-PAR-03.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Say what a rule demands, why, and which tests check it; without a rule, list them all."""
    try:
        found = None if rule is None else find_rule(rule)
    except LookupError as error:
        raise fail(str(error), code=1) from error
    if as_json:
        typer.echo(explaining.as_json(found))
    else:
        typer.echo(explaining.all_rules() if found is None else explaining.rule_in_full(found))
