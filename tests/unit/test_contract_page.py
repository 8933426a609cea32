"""The page of rules and the suite say the same: no rule without a test, no test without a rule."""

import re
from collections import defaultdict
from pathlib import Path

from trackstore_conformance import ArtifactStoreTests, BackendStoreTests
from trackstore_conformance.rules import check_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text()
RULE = r"[AB]-[A-Z]{3}-\d\d"
ENTRY = re.compile(
    rf"^\*\*(?P<id>{RULE})\*\* · (?P<level>[^·]+) · (?P<text>[^·]+?)\n"
    r"Checked by (?P<tests>(?:`\w+`[,.]\s?)+)",
    re.MULTILINE,
)


def checks_by_rule() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for suite in (BackendStoreTests, ArtifactStoreTests):
        for name, test in suite.tests.items():
            check = check_of(test)
            assert check is not None
            for rule in check.rules:
                found[rule].add(name)
    return found


def test_every_rule_has_the_tests_that_the_page_names() -> None:
    """The tests below each rule are those that are marked with it, and each rule stands once."""
    entries = [(e["id"], set(re.findall(r"`(\w+)`", e["tests"]))) for e in ENTRY.finditer(PAGE)]
    assert len(dict(entries)) == len(entries)
    assert dict(entries) == checks_by_rule()


def test_every_entry_is_read_by_this_test() -> None:
    """A rule whose entry is malformed is not passed over."""
    assert re.findall(rf"^\*\*({RULE})\*\*", PAGE, re.MULTILINE) == [
        entry["id"] for entry in ENTRY.finditer(PAGE)
    ]


def test_every_rule_says_what_must_be() -> None:
    """Each has one of the three levels, and a sentence with MUST."""
    for entry in ENTRY.finditer(PAGE):
        assert entry["level"].split()[0] in {"core", "ability", "graded"}, entry["id"]
        assert "MUST" in entry["text"], entry["id"]


def test_every_rule_that_the_code_cites_is_on_the_page() -> None:
    """A rule that a docstring, a comment or another page names can be looked up."""
    known = set(re.findall(RULE, PAGE))
    for folder, pattern in (("src", "*.py"), ("backends", "*.py"), ("docs", "*.md")):
        for file in sorted((ROOT / folder).rglob(pattern)):
            cited = set(re.findall(RULE, file.read_text()))
            assert cited <= known, f"{file.name} cites {sorted(cited - known)}"


def test_every_test_of_the_suite_says_what_it_promises() -> None:
    """Each has a docstring whose first line is a sentence."""
    for suite in (BackendStoreTests, ArtifactStoreTests):
        for name, test in suite.tests.items():
            assert (test.__doc__ or "").split("\n")[0].endswith("."), name
