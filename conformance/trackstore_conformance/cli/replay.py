from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from trackstore_conformance.checkers.events import Undecided
from trackstore_conformance.cli.ending import fail
from trackstore_conformance.concurrent.engine import recheck
from trackstore_conformance.history import History
from trackstore_conformance.report import BadReport, Report, by_rule, read
from trackstore_conformance.verdicts import Counterexample, RuleVerdict


def replay(
    where: Annotated[
        str,
        typer.Argument(metavar="REPORT#RULE", help="Such as r.json#B-TAG-02; r.json lists them."),
    ],
    *,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the program that shows it by itself.")
    ] = None,
) -> None:
    """Judge a counterexample of a report again, and show how to see it by oneself.

    What concurrent clients saw is judged again as it was recorded: the store is not needed. Exits
    with 1 if the rule is broken, and 0 if this suite finds nothing wrong in it.
    """
    report, verdicts = _read(where.partition("#")[0])
    rule = where.partition("#")[2].upper()
    if not rule:
        for each in verdicts.values():
            typer.echo(f"{each.rule}  {each.verdict}  {each.title}")
        return
    if rule not in verdicts:
        raise fail(f"the report has no counterexample of {rule}: it has {', '.join(verdicts)}")
    found = verdicts[rule].counterexample
    assert found is not None
    _show(report, rule, found)
    if script is not None:
        script.write_text(found.script or "", encoding="utf-8")
    raise typer.Exit(1 if found.history is None else _judge_again(found.history))


def _read(file: str) -> tuple[Report, Mapping[str, RuleVerdict]]:
    try:
        report = read(Path(file))
    except BadReport as error:
        raise fail(str(error)) from error
    found = {rule: each for rule, each in by_rule(report).items() if each.counterexample}
    if not found:
        raise fail("the report has no counterexample: nothing was found broken", code=0)
    return report, found


def _show(report: Report, rule: str, found: Counterexample) -> None:
    typer.echo(f"{rule}, found by {found.test}: {found.said}")
    if found.script:
        typer.echo(f"\n{found.script.rstrip()}\n")
    again = f"--rule {rule} --profile {report.profile} --seed {report.seed}"
    typer.echo(f"to run its tests again: trackstore conformance run '{report.store.url}' {again}")


def _judge_again(history: History) -> int:
    try:
        findings = recheck(history)
    except (LookupError, Undecided) as error:
        raise fail(f"the {len(history.calls)} calls cannot be judged again: {error}") from error
    for each in findings:
        numbers = ", ".join(map(str, each.calls))
        typer.echo(f"judged again: {each.rule}: {each.witness} (calls {numbers})")
    if not findings:
        typer.echo(f"judged again: nothing is wrong in its {len(history.calls)} calls")
    return 1 if findings else 0
