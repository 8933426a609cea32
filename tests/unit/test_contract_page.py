"""The spec, the suite and the page of rules say the same, and what is not checked is said."""

import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec import toml

from trackstore.abilities import OPTIONAL_ABILITIES
from trackstore.stores import Guarantees
from trackstore_conformance.checks import SUITES, checks_by_rule
from trackstore_conformance.claims import CONTRACTS, GRADES
from trackstore_conformance.rules import rule
from trackstore_conformance.spec import (
    KINDS,
    RULES,
    SPECS,
    Kind,
    Rule,
    Spec,
    by_topic,
    find_rule,
    select,
)
from trackstore_conformance.spec.page import MARK, made_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "contract.md"
ID = r"[ABLR]-[A-Z]{3}-\d\d"
CHECKS = checks_by_rule()

every_rule = pytest.mark.parametrize("each", RULES.values(), ids=RULES)


def cited_in(*folders: str) -> set[str]:
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {ident for file in files for ident in re.findall(ID, file.read_text())}


def test_the_page_is_what_the_spec_makes() -> None:
    """Nobody edits the page below its mark, or forgets to make it again."""
    command = "python -m trackstore_conformance.spec.page docs/contract.md"
    assert PAGE.read_text() == made_page(PAGE.read_text()), f"the page is stale: {command}"


def test_what_is_written_by_hand_is_kept() -> None:
    """The introduction stays as it is, and a page without the mark is not overwritten."""
    made = made_page(f"# Mine\n\n{MARK}\nold text below")
    assert made.startswith(f"# Mine\n\n{MARK}\n\n## Experiments\n")
    assert "old text below" not in made
    with pytest.raises(ValueError, match="no line"):
        made_page("# Mine\n")


@every_rule
def test_a_rule_has_a_test_or_says_why_not(each: Rule) -> None:
    """And one that has a test does not say that it has none."""
    assert (each.id in CHECKS) == (each.untested is None)


@every_rule
def test_a_rule_says_what_must_be_and_why(each: Rule) -> None:
    """A sentence with MUST or SHOULD, a title, and a reason."""
    assert re.search(r"\b(MUST|SHOULD)\b", each.text)
    assert each.text.endswith(".")
    assert each.rationale.endswith(".")
    assert each.title
    assert not each.title.endswith(".")
    assert re.fullmatch(ID, each.id)
    assert each.since == "1.0"


@every_rule
def test_a_rule_binds_those_who_can_be_known(each: Rule) -> None:
    """An ability is a protocol of the contract, and a grade is one of a store's guarantees."""
    abilities = {ability.__name__ for ability in OPTIONAL_ABILITIES}
    grades = set(Guarantees.__struct_fields__)
    known = {"core": {None}, "ability": abilities, "graded": grades}
    assert each.claim in known[each.level]
    if each.level == "graded":
        assert each.claim is not None
        assert each.grade in GRADES[each.claim][1:], "the least grade promises nothing"
    else:
        assert each.grade is None


def test_every_grade_that_can_be_claimed_demands_something() -> None:
    """A store that claims more is held to more, whatever it claims."""
    demanded = {(each.claim, each.grade) for each in RULES.values() if each.level == "graded"}
    claimable = {(field, grade) for field, grades in GRADES.items() for grade in grades[1:]}
    assert demanded == claimable


def test_every_spec_is_about_a_kind_of_store() -> None:
    """Whose ids begin with a letter of its own, and whose versions are in order."""
    assert [spec.contract for spec in SPECS] == list(CONTRACTS)
    letters = [{each.id[0] for each in spec.rules} for spec in SPECS]
    assert all(len(each) == 1 for each in letters)
    assert len(set.union(*letters)) == len(SPECS)


def test_the_rules_of_a_version_are_those_it_came_with() -> None:
    """The newest by default; a contract or a version that there is not is named."""
    chosen = [select("backend"), select("artifact", "1.0"), select("registry")]
    rules = [rule for each in (*chosen, select("logged-models")) for rule in each]
    assert rules == list(RULES.values())
    with pytest.raises(LookupError, match="'kitchen'"):
        select("kitchen")
    with pytest.raises(LookupError, match=r"no version '0.9': 1.0"):
        select("backend", "0.9")


@every_rule
def test_how_a_rule_is_checked_is_what_its_tests_do(each: Rule) -> None:
    """One with a race or a kill among its tests says so, and only such a one does."""
    kinds = {test.kind for test in CHECKS.get(each.id, ())}
    if each.untested is None:
        assert sorted(each.checked) == sorted(kinds)
    assert each.checked


def test_what_the_front_keeps_is_tested_there() -> None:
    """A rule that no store is asked is cited by a test of the front."""
    kept = {each.id for each in RULES.values() if "front" in each.checked}
    assert kept
    assert kept <= cited_in("tests/unit")


def test_the_rules_are_told_apart() -> None:
    """No id stands twice, each rule is under one topic, and each way of checking has words."""
    ids = [each.id for spec in SPECS for each in spec.rules]
    assert len(ids) == len(RULES)
    assert [each.id for _, rules in by_topic() for each in rules] == ids
    assert set(get_args(Kind)) == KINDS.keys()


def test_a_check_of_an_unknown_rule_is_refused() -> None:
    """At once, where the test is written, with the ids that are like it."""
    with pytest.raises(LookupError, match=r"'B-PAR-3'.* B-PAR-03 \(One value of a param wins"):
        rule("B-PAR-01", "B-PAR-3")


@pytest.mark.parametrize("ident", ["", "x", "-" * 10_000, "B-PAR", "B-PÄR-01"])
def test_an_id_that_is_none_is_not_found(ident: str) -> None:
    """Whatever the text, the error is short and typed."""
    with pytest.raises(LookupError) as raised:
        find_rule(ident)
    assert len(str(raised.value)) < 500


def test_a_misspelt_field_of_the_spec_is_an_error() -> None:
    """A reason that nobody would read is not passed over."""
    text = '[[topic]]\ntitle = "T"\nareas = ["PAR"]\n[[rule]]\nid = "B-PAR-01"\nreason = "x"\n'
    with pytest.raises(ValueError, match="reason"):
        toml.decode(text, type=Spec)


def test_every_rule_that_is_cited_is_in_the_spec() -> None:
    """A rule that a docstring, a comment or another page names can be looked up."""
    cited = cited_in("src", "backends", "conformance", "tests", "benchmarks")
    for page in sorted((ROOT / "docs").rglob("*.md")):
        cited |= set(re.findall(ID, page.read_text()))
    assert cited <= RULES.keys()


def test_every_test_of_the_suite_says_what_it_promises() -> None:
    """Each has a docstring whose first line is a sentence."""
    for suite in SUITES.values():
        for name, test in suite.tests.items():
            assert (test.__doc__ or "").split("\n")[0].endswith("."), name
