"""The end of a run in a terminal: what is broken and what to do about it, then the grade."""

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from trackstore_conformance.grade import in_doubt, waived
from trackstore_conformance.report import Report
from trackstore_conformance.report.markup import INVISIBLE
from trackstore_conformance.report.words import effort_of, facts, seconds
from trackstore_conformance.verdicts import RuleVerdict

STYLES = {"conformant": "green", "waived": "yellow", "partial": ""}
LONGEST_SCRIPT = 30
"""Lines of a program that are shown; the rest is in the report."""


def print_summary(report: Report, console: Console, json_file: Path | None = None) -> None:
    """Print the summary; `json_file` is where the report was written, if it was."""
    for each in report.rules:
        if each.verdict == "FAIL":
            console.print(_failure(each, json_file))
    doubted = in_doubt(report.rules) if report.timing.finished else []  # else most of them are
    for title, rules in (("In doubt", doubted), ("Waived", waived(report.rules))):
        if rules:
            console.print(_table(title, rules))
    for problem in report.problems:
        console.print(_plain(f"waiver: {problem}", "red"))
    console.print(_plain(_counts(report)))
    for name, said in facts(report):
        console.print(_plain(f"{name}: {said}", "dim"))
    console.print(_plain(report.grade.text, f"bold {STYLES.get(report.grade.standing, 'red')}"))


def _plain(said: str, style: str = "") -> Text:
    """Return a text in which neither markup nor control characters do anything."""
    return Text(said.translate(INVISIBLE), style=style)


def _failure(each: RuleVerdict, json_file: Path | None) -> Panel:
    lines = "\n".join(_lines(each, json_file))
    return Panel(_plain(lines), title=_plain(f"FAIL {each.rule} {each.title}"), border_style="red")


def _lines(each: RuleVerdict, json_file: Path | None) -> Iterator[str]:
    found = each.counterexample
    if found is not None:
        yield f"{found.test}: {found.said}"
        script = (found.script or "").splitlines()
        yield from ["", *script[:LONGEST_SCRIPT], ""] if script else []
        if len(script) > LONGEST_SCRIPT:
            yield f"... {len(script) - LONGEST_SCRIPT} lines more"
    yield f"what it demands:  trackstore conformance explain {each.rule}"
    if json_file is not None:
        where = shlex.quote(f"{json_file}#{each.rule}")
        yield f"see it again:     trackstore conformance replay {where}"


def _table(title: str, rules: list[RuleVerdict]) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    for heading in ("rule", "verdict", "why", "tried"):
        table.add_column(heading, overflow="fold")
    for each in rules:
        why = each.waiver.why if each.waiver else "; ".join(each.notes)
        cells = (f"{each.rule} {each.title}", each.verdict, why, effort_of(each))
        table.add_row(*map(_plain, cells))
    return table


def _counts(report: Report) -> str:
    counts = Counter(each.verdict for each in report.rules)
    said = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    return f"{len(report.rules)} rules in {seconds(report.timing.seconds)}: {said}"
