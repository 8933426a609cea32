"""Make the page of rules: `python -m trackstore_conformance.spec.page docs/contract.md`.

What stands above the mark is written by hand and kept.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from trackstore_conformance.checks import CheckedBy, checks_by_rule
from trackstore_conformance.spec import KINDS, Rule, by_topic

MARK = "<!-- made from the spec: below this line nothing is written by hand -->"
WIDTH = 120


def made_page(page: str) -> str:
    """Return the page as it should be, with the introduction of the one that is given."""
    introduction, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"the page has no line {MARK!r}")
    return "\n".join([introduction + MARK, *_rules()]) + "\n"


def _rules() -> Iterator[str]:
    checks = checks_by_rule()
    for topic, rules in by_topic():
        yield f"\n## {topic.title}"
        for rule in rules:
            yield from _entry(rule, checks.get(rule.id, ()))


def _entry(rule: Rule, tests: Sequence[CheckedBy]) -> Iterator[str]:
    how = " and ".join(KINDS[kind] for kind in rule.checked)
    yield f"\n### {rule.id}: {rule.title}"
    yield ""
    yield from _wrapped(f"**{rule.binding}** · {rule.text}")
    yield ""
    yield from _wrapped(f"*Why:* {rule.rationale}")
    yield ""
    if rule.untested is not None:
        yield from _wrapped(f"*Not checked by the suite ({how}):* {rule.untested}")
    else:
        names = ", ".join(f"`{test.name}`" for test in tests)
        yield from _wrapped(f"*Checked by {how}:* {names}.")


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    """Rewrite the page that is named on the command line."""
    file = Path(sys.argv[1])
    file.write_text(made_page(file.read_text()))


if __name__ == "__main__":
    main()
