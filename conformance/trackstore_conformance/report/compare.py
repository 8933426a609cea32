"""Several reports side by side: a line for every rule, a column for every store."""

from collections.abc import Iterator, Sequence

from trackstore_conformance.report import Report, by_rule
from trackstore_conformance.report.html import document, verdict
from trackstore_conformance.report.markup import Html, joined, tag, text
from trackstore_conformance.report.words import seconds
from trackstore_conformance.spec import RULES
from trackstore_conformance.verdicts import RuleVerdict

WORDS = {"PASS": "pass", "FAIL": "**FAIL**", "ABSENT": "not claimed", "WAIVED": "waived"}
"""Of a verdict in the matrix; any other is said in small letters."""


def names_of(reports: Sequence[Report]) -> list[str]:
    """Return a name for each column: of the class, numbered where two are alike."""
    names = [report.store.name for report in reports]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]


def titles_of(reports: Sequence[Report]) -> dict[str, str]:
    """Return every rule that a report is about, those of the spec in its order, with its title."""
    told = {each.rule: each.title for report in reports for each in report.rules}
    return {i: told[i] for i in RULES if i in told} | {i: told[i] for i in told if i not in RULES}


def matrix(reports: Sequence[Report]) -> Iterator[tuple[str, str, list[RuleVerdict | None]]]:
    """Yield each rule with its title and what each report says of it, None if nothing."""
    found = [by_rule(report) for report in reports]
    for ident, title in titles_of(reports).items():
        yield ident, title, [each.get(ident) for each in found]


def as_markdown(reports: Sequence[Report]) -> str:
    """Return the matrix as Markdown, the grades first."""
    lines = ["| store | version | profile | tried | grade |", "|---|---|---|---|---|"]
    lines += [_line(cells) for cells in _grades(reports, names_of(reports))]
    lines += ["", _line(["rule", *names_of(reports)]), "|---" * (1 + len(reports)) + "|"]
    for ident, title, verdicts in matrix(reports):
        lines.append(_line([f"{ident} {title}", *map(word, verdicts)], safe=1))
    return "\n".join(lines) + "\n"


def word(each: RuleVerdict | None) -> str:
    """Return the verdict as it stands in the matrix."""
    return "" if each is None else WORDS.get(each.verdict, each.verdict.lower())


def _grades(reports: Sequence[Report], names: Sequence[str]) -> Iterator[list[str]]:
    for report, name in zip(reports, names, strict=True):
        tried = f"{report.evidence}, {seconds(report.timing.seconds)}"
        version = f"{report.store.distribution or ''} {report.store.version or ''}".strip()
        yield [name, version, report.profile, tried, report.grade.text]


def _line(cells: Sequence[str], safe: int | None = None) -> str:
    """Return a row; cells from the place `safe` on are our own words."""
    shown = [c if safe is not None and n >= safe else _cell(c) for n, c in enumerate(cells)]
    return "| " + " | ".join(shown) + " |"


def _cell(said: str) -> str:
    """Return a text that Markdown and HTML leave as it is, on one line."""
    for mark in "\\`*_[]|~":
        said = said.replace(mark, f"\\{mark}")
    return " ".join(text(said).split())


def as_html(reports: Sequence[Report]) -> str:
    """Return the matrix as a page of its own."""
    names = names_of(reports)
    headings = tag("tr", tag("th", "rule"), *(tag("th", name) for name in names))
    rows = [
        tag("tr", tag("td", f"{ident} {title}"), *map(_verdict_cell, verdicts))
        for ident, title, verdicts in matrix(reports)
    ]
    body = joined(
        tag("h1", "trackstore conformance: stores side by side"),
        tag(
            "div", tag("table", *(_row(cells) for cells in _grades(reports, names))), class_="wide"
        ),
        tag("div", tag("table", headings, *rows), class_="wide"),
    )
    return document("Stores side by side", body)


def _row(cells: Sequence[str]) -> Html:
    return tag("tr", *(tag("td", cell) for cell in cells))


def _verdict_cell(each: RuleVerdict | None) -> Html:
    if each is None or each.verdict == "ABSENT":
        return tag("td", word(each))
    return tag("td", verdict(each))
