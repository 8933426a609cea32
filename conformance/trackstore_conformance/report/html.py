"""A report as one HTML page that needs nothing else: no script, font or style from elsewhere."""

from collections.abc import Callable, Iterator
from importlib.resources import files

from trackstore_conformance.history import History
from trackstore_conformance.report import Report, by_rule
from trackstore_conformance.report.markup import Html, joined, tag, text
from trackstore_conformance.report.words import effort_of, facts
from trackstore_conformance.spec import RULES, by_topic
from trackstore_conformance.verdicts import Counterexample, RuleVerdict

Draw = Callable[[History], str]
"""Returns a timeline as SVG, in which it has escaped all text itself."""

HEAD = Html(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'\">"
)


def page(report: Report, draw: Draw) -> str:
    """Return the page."""
    title = f"{report.store.name}: trackstore conformance"
    body = joined(
        tag("h1", title),
        tag("p", report.grade.text, class_=f"grade {report.grade.standing}"),
        tag("dl", *(joined(tag("dt", name), tag("dd", said)) for name, said in facts(report))),
        *_problems(report),
        *(_failure(each, draw) for each in report.rules if each.verdict == "FAIL"),
        *_topics(report),
        *_others(report, draw),
    )
    return document(title, body)


def document(title: str, body: Html) -> str:
    """Return a whole page in the style of all of them."""
    style = Html(files(__package__).joinpath("page.css").read_text())
    head = tag("head", HEAD, tag("title", title), tag("style", style))
    return "<!doctype html>\n" + tag("html", head, tag("body", body), lang="en") + "\n"


def _problems(report: Report) -> Iterator[Html]:
    if report.problems:
        yield tag("h2", "Waivers to mend")
        yield tag("ul", *(tag("li", each) for each in report.problems))


def _failure(each: RuleVerdict, draw: Draw) -> Html:
    rule = RULES.get(each.rule)
    return tag(
        "section",
        tag("h2", f"{each.rule}: {each.title}"),
        tag("p", verdict(each), " ", rule.text if rule else None),
        _counterexample(each.counterexample, draw) if each.counterexample else None,
        class_="failure",
        id=each.rule,
    )


def _counterexample(found: Counterexample, draw: Draw) -> Html:
    return joined(
        tag("p", found.said),
        tag("div", Html(draw(found.history)), class_="timeline") if found.history else None,
        _folded("A program that shows it", found.script, is_open=True),
        _folded(f"All that {found.test} said", found.detail, is_open=False),
    )


def _folded(summary: str, long: str | None, *, is_open: bool) -> Html | None:
    if not long:
        return None
    attributes = {"open": "open"} if is_open else {}
    return tag("details", tag("summary", summary), tag("pre", long), **attributes)


def _topics(report: Report) -> Iterator[Html]:
    found = by_rule(report)
    for topic, rules in by_topic():
        here = [found[rule.id] for rule in rules if rule.id in found]
        if here:
            yield tag("h2", topic.title)
            yield tag("table", HEADINGS, tag("tbody", *map(_row, here)), class_="rules")
    unknown = [each for each in report.rules if each.rule not in RULES]
    if unknown:
        yield tag("h2", "Rules that this version does not know")
        yield tag("table", HEADINGS, tag("tbody", *map(_row, unknown)), class_="rules")


HEADINGS = tag("thead", tag("tr", *(tag("th", h) for h in ("Rule", "Verdict", "Tried"))))


def verdict(each: RuleVerdict) -> Html:
    return tag("span", each.verdict, class_=f"verdict {each.verdict.replace('/', '')}")


def _row(each: RuleVerdict) -> Html:
    title = text(f"{each.rule} {each.title}")
    linked = tag("a", title, href=f"#{each.rule}") if each.verdict == "FAIL" else title
    claim = tag("div", f"{each.level} {each.claim}", class_="note") if each.claim else None
    return tag(
        "tr",
        tag("td", linked, claim),
        tag("td", verdict(each)),
        tag("td", effort_of(each), *(tag("div", note, class_="note") for note in _notes(each))),
    )


def _notes(each: RuleVerdict) -> Iterator[str]:
    if each.waiver is not None:
        yield f"waived until {each.waiver.until} ({each.waiver.kind}): {each.waiver.why}"
        if each.waiver.issue:
            yield each.waiver.issue
    yield from each.notes


def _others(report: Report, draw: Draw) -> Iterator[Html]:
    """What was seen of rules that are not claimed, or waived."""
    for each in report.rules:
        if each.counterexample is not None and each.verdict != "FAIL":
            heading = tag("summary", f"{each.rule}, {each.verdict}: {each.title}")
            yield tag("details", heading, _counterexample(each.counterexample, draw))
