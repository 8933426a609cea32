"""What `trackstore conformance explain` prints: one rule, or all by topic."""

import json
from collections.abc import Iterator
from shutil import get_terminal_size
from textwrap import fill

from msgspec import to_builtins

from trackstore_conformance.checks import checks_by_rule
from trackstore_conformance.spec import KINDS, RULES, Rule, by_topic

WIDEST = 100


def rule_in_full(rule: Rule) -> str:
    """Return all that is known of a rule, for people."""
    how = " and ".join(KINDS[kind] for kind in rule.checked)
    parts = [
        f"{rule.id}  {rule.title}",
        f"{_plain(rule.binding)}, since contract {rule.since}",
        _paragraph(_plain(rule.text)),
        "Why\n" + _paragraph(_plain(rule.rationale)),
    ]
    if rule.untested is not None:
        parts.append(f"Not checked by the suite ({how})\n{_paragraph(rule.untested)}")
    else:
        parts.append(f"Checked by {how}\n" + "\n".join(_tests(rule)))
    return "\n\n".join(["\n".join(parts[:2]), *parts[2:]])


def _tests(rule: Rule) -> Iterator[str]:
    for test in checks_by_rule()[rule.id]:
        yield f"  {test.name}"
        yield _paragraph(test.promise, indent=6)


def all_rules() -> str:
    """Return every rule on a line of its own, by topic."""
    lines = []
    for topic, rules in by_topic():
        lines += ["", topic.title]
        lines += [f"  {rule.id}  {_plain(rule.binding):33}  {_title(rule)}" for rule in rules]
    return "\n".join(lines[1:])


def _title(rule: Rule) -> str:
    return rule.title if rule.untested is None else f"{rule.title} (not checked)"


def as_json(rule: Rule | None = None) -> str:
    """Return a rule, or a list of all, with the tests that check it, for machines."""
    checks = checks_by_rule()

    def with_tests(each: Rule) -> dict[str, object]:
        return {**to_builtins(each), "tests": to_builtins(checks.get(each.id, ()))}

    found = [with_tests(each) for each in RULES.values()] if rule is None else with_tests(rule)
    return json.dumps(found, indent=2, ensure_ascii=False)


def _plain(markdown: str) -> str:
    return markdown.replace("`", "")


def _paragraph(text: str, indent: int = 2) -> str:
    margin = " " * indent
    width = min(WIDEST, get_terminal_size().columns)
    return fill(
        text,
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
