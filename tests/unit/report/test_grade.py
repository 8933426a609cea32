"""The grade is what was proven and not what was claimed, and the exit code follows from it."""

import pytest

from sample_reports import (
    CORE,
    KILL,
    OTHER,
    POWER,
    SEARCH,
    TAGS,
    TODAY,
    claims,
    ended,
    failed,
    passed,
    waiver,
)
from trackstore.stores import Guarantees
from trackstore_conformance.claims import Claims
from trackstore_conformance.grade import Grade, grade_of
from trackstore_conformance.results import Result
from trackstore_conformance.spec import RULES as EVERY
from trackstore_conformance.spec import Rule
from trackstore_conformance.verdicts import judge
from trackstore_conformance.waivers import Waiver

RULES = (CORE, OTHER, TAGS, KILL, POWER, SEARCH)
ALL = tuple(passed(each.id) for each in RULES if each.untested is None)
POWERFUL = claims(guarantees=Guarantees(durability="power-loss"), abilities=("SearchesRuns",))


def grade(
    *results: Result,
    mine: Claims = POWERFUL,
    rules: tuple[Rule, ...] = RULES,
    waivers: tuple[Waiver, ...] = (),
    finished: bool = True,
) -> Grade:
    return grade_of(judge(results, rules, mine, waivers, TODAY), mine, "1.0", finished=finished)


def without(rule: Rule, *instead: Result) -> list[Result]:
    return [each for each in ALL if rule.id not in each.rules] + list(instead)


def test_a_grade_that_was_not_proven_is_not_given() -> None:
    """Where a loss of power cannot be tried, that it is claimed is told and no more."""
    found = grade(*without(POWER, ended("not-exercised", POWER.id)))
    assert (found.standing, found.exit_code) == ("conformant", 0)
    assert found.text == (
        "conformant 1.0 · durability: process-crash (power-loss not proven)"
        " · tags: linearizable · SearchesRuns"
    )


def test_what_is_claimed_and_proven_is_given() -> None:
    """Whatever else the store would hold."""
    found = grade(*ALL, mine=claims())
    assert found.text == "conformant 1.0 · durability: process-crash · tags: linearizable"
    least = claims(guarantees=Guarantees("none", "eventual"))
    assert grade(*ALL, mine=least).text == "conformant 1.0 · durability: none · tags: eventual"


def test_a_graded_rule_that_was_not_exercised_lowers_the_grade() -> None:
    """Without strace nothing is known of kills: the store is conformant, and no more."""
    found = grade(*without(KILL, ended("not-exercised", KILL.id)), mine=claims())
    assert found.exit_code == 0
    assert "durability: none (process-crash not proven)" in found.text


def test_an_ephemeral_store_is_called_so() -> None:
    """Its grade says nothing of durability."""
    mine = claims(guarantees=Guarantees(durability="none"), ephemeral=True)
    found = grade(*without(KILL, ended("not-applicable", KILL.id)), mine=mine)
    assert found.text == "conformant 1.0 · ephemeral · tags: linearizable"


@pytest.mark.parametrize("rule", [CORE, KILL, SEARCH])
def test_a_claimed_rule_that_is_broken_is_named(rule: Rule) -> None:
    """Core, graded or ability: the run fails, and no grades are given."""
    found = grade(*without(rule, failed(rule.id)))
    assert found == Grade("not-conformant", f"not conformant 1.0: {rule.id}", 1)


def test_many_broken_rules_are_counted() -> None:
    """A line stays a line."""
    rules = tuple(EVERY.values())[:9]
    found = grade(*(failed(each.id) for each in rules), rules=rules)
    assert found.text.endswith("B-EXP-05 and 4 more")


def test_a_rule_in_doubt_is_no_conformance() -> None:
    """Unknown, or a core rule that was not exercised."""
    for rule, ending in ((TAGS, "unknown"), (CORE, "not-exercised"), (SEARCH, "not-exercised")):
        found = grade(*without(rule, ended(ending, rule.id)))
        assert (found.standing, found.exit_code) == ("not-proven", 1)
        assert found.text == f"not proven 1.0: {rule.id}"


def test_what_is_not_claimed_harms_nobody() -> None:
    """Broken or in doubt, the grade is the same."""
    mine = claims(guarantees=Guarantees("none", "eventual"))
    for ending in ("failed", "unknown"):
        doubt = failed(TAGS.id) if ending == "failed" else ended(ending, TAGS.id)
        assert grade(*without(TAGS, doubt), mine=mine).exit_code == 0


def test_a_waived_rule_is_in_the_grade() -> None:
    """The exit code is that of success, and the line says what is waived."""
    found = grade(*without(CORE, failed(CORE.id)), waivers=(waiver(),), mine=claims())
    assert (found.standing, found.exit_code) == ("waived", 0)
    assert found.text.startswith(f"conformant 1.0 but for {CORE.id} (waived) · ")


def test_wrong_waivers_fail_a_run() -> None:
    """Though every rule holds."""
    found = grade(*ALL, waivers=(waiver(),))
    assert found == Grade("not-conformant", "not conformant 1.0: its waivers are wrong", 1)


def test_nothing_executed_proves_nothing() -> None:
    """All skipped is not green: it has an exit code of its own."""
    skipped = [ended("not-exercised", CORE.id), ended("not-applicable", OTHER.id)]
    for results in ([], skipped):
        found = grade(*results, rules=(CORE, OTHER))
        assert found == Grade("nothing-proven", "nothing proven 1.0", 3)


def test_a_run_that_was_cut_short_gives_no_grade() -> None:
    """Also if all that ran was well."""
    found = grade(*ALL, finished=False)
    assert found == Grade("not-proven", "not proven 1.0: the run was cut short", 1)


def test_a_few_rules_are_no_grade() -> None:
    """Whoever asked for one of them is told that it holds, and that nothing else was asked."""
    found = judge([passed(CORE.id)], [CORE], claims(), (), TODAY)
    kept = grade_of(found, claims(), "1.0", whole=False)
    assert kept == Grade("partial", f"kept: {CORE.id}, and no other rule was asked", 0)
    broken = judge([failed(CORE.id)], [CORE], claims(), (), TODAY)
    assert grade_of(broken, claims(), "1.0", whole=False).standing == "not-conformant"
