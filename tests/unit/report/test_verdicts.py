"""A verdict says no more than the tests saw, and tells what is not claimed from what is broken."""

from datetime import date

import pytest
from msgspec.structs import replace

from sample_reports import (
    CORE,
    HISTORY,
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
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.results import Result
from trackstore_conformance.spec import Rule
from trackstore_conformance.verdicts import Judgement, RuleVerdict, judge, not_run
from trackstore_conformance.waivers import Waiver

NOTHING = claims(guarantees=Guarantees("none", "eventual"))


def verdict(rule: Rule, *results: Result, mine: Claims | None = None) -> RuleVerdict:
    return judge(results, [rule], mine or claims(), (), TODAY).rules[0]


def waived(*results: Result, by: Waiver, rule: Rule = CORE) -> Judgement:
    return judge(results, [rule], claims(), [by], TODAY)


@pytest.mark.parametrize(
    ("rule", "mine", "kept", "broken"),
    [
        (CORE, NOTHING, "PASS", "FAIL"),
        (KILL, claims(), "PASS", "FAIL"),
        (KILL, NOTHING, "UNCLAIMED-BUT-HELD", "ABSENT"),
        (TAGS, NOTHING, "UNCLAIMED-BUT-HELD", "ABSENT"),
        (SEARCH, claims(abilities=("SearchesRuns",)), "PASS", "FAIL"),
    ],
)
def test_what_is_claimed_is_held_to_it(rule: Rule, mine: Claims, kept: str, broken: str) -> None:
    """Both ways: what is broken without a claim is absent, and what is kept without one is told."""
    assert verdict(rule, passed(rule.id), mine=mine).verdict == kept
    assert verdict(rule, failed(rule.id), mine=mine).verdict == broken


def test_an_ability_without_its_method_is_absent() -> None:
    """Its tests then ran on the front's scan, and prove nothing of the store."""
    assert verdict(SEARCH, passed(SEARCH.id)).verdict == "ABSENT"


@pytest.mark.parametrize(
    ("endings", "expected"),
    [
        ([], "NOT-EXERCISED"),
        (["not-exercised"], "NOT-EXERCISED"),
        (["not-run"], "NOT-EXERCISED"),
        (["not-applicable"], "N/A"),
        (["not-applicable", "not-exercised"], "NOT-EXERCISED"),
        (["not-applicable", "passed"], "PASS"),
        (["not-exercised", "passed"], "PASS"),
        (["passed", "passed"], "PASS"),
        (["passed", "unknown"], "UNKNOWN"),
        (["passed", "not-run"], "UNKNOWN"),
        (["unknown"], "UNKNOWN"),
        (["not-exercised", "unknown"], "UNKNOWN"),
    ],
)
def test_a_pass_needs_all_that_could_be_run(endings: list[str], expected: str) -> None:
    """A test that ran out of time, or was cut off, leaves a doubt that others can't take away."""
    results = [ended(each, CORE.id) for each in endings]
    assert verdict(CORE, *results).verdict == expected
    assert verdict(CORE, *reversed(results)).verdict == expected
    assert verdict(CORE, failed(CORE.id), *results).verdict == "FAIL"


def test_only_the_rule_that_is_named_is_broken() -> None:
    """The others of its test were not looked at to the end, so they are in doubt."""
    result = failed(CORE.id, OTHER.id, broken=(OTHER.id,))
    assert verdict(OTHER, result).verdict == "FAIL"
    assert verdict(CORE, passed(CORE.id), result).verdict == "UNKNOWN"
    assert verdict(CORE, result).notes == (f"{result.test}: ended at a violation of {OTHER.id}",)


def test_a_rule_is_broken_by_any_test_that_names_it() -> None:
    """Also by one that is not among its checks; and a failure that names none breaks all."""
    elsewhere = failed(OTHER.id, broken=(CORE.id,))
    assert verdict(CORE, passed(CORE.id), elsewhere).verdict == "FAIL"
    assert verdict(POWER, failed(OTHER.id, broken=(POWER.id,))).verdict == "ABSENT"
    assert verdict(CORE, failed(CORE.id, broken=())).verdict == "FAIL"


def test_an_untested_rule_is_never_a_pass() -> None:
    """It says why nothing tests it."""
    rule = replace(POWER, untested="nobody can")
    found = verdict(rule, mine=claims(guarantees=Guarantees(durability="power-loss")))
    assert (found.verdict, found.notes) == ("UNTESTED", ("nobody can",))


def test_the_effort_is_that_of_all_tests_that_ran() -> None:
    """Evidence and seconds are added up; what was not run adds nothing."""
    found = verdict(
        CORE, passed(CORE.id), passed(CORE.id, OTHER.id), ended("not-exercised", CORE.id)
    )
    assert found.evidence == Evidence(examples=4, operations=20)
    assert (found.seconds, len(found.tests)) == (1.0, 2)
    assert found.notes == ("test_not-exercised: not-exercised: because",)
    assert found.claim is None
    assert verdict(KILL).claim == "durability: process-crash"


def test_the_first_counterexample_is_kept_whole() -> None:
    """With its program and its history, and also where the rule is not claimed."""
    first = failed(TAGS.id, script="print(1)", history=HISTORY, detail="long")
    found = verdict(TAGS, passed(TAGS.id), first, failed(TAGS.id, reason="later"), mine=NOTHING)
    shown = found.counterexample
    assert shown is not None
    assert (shown.said, shown.detail, shown.script) == (first.reason, "long", "print(1)")
    assert shown.history == HISTORY


def test_tests_without_a_result_were_not_run() -> None:
    """So that a run that was cut short proves no rule by the half of its tests."""
    left = not_run({"test_a": [CORE.id], f"test_{CORE.id}": [CORE.id]}, [passed(CORE.id)])
    assert [(each.test, each.rules, each.ending) for each in left] == [
        ("test_a", (CORE.id,), "not-run")
    ]
    assert verdict(CORE, passed(CORE.id), *left).verdict == "UNKNOWN"


@pytest.mark.parametrize("ending", ["unknown", "not-exercised"])
def test_a_waived_rule_is_waived(ending: str) -> None:
    """While it is broken or in doubt, until the last day; what was found is still told."""
    last = waiver(until=TODAY)
    found = waived(failed(CORE.id), by=last)
    assert (found.rules[0].verdict, found.problems) == ("WAIVED", ())
    assert found.rules[0].counterexample is not None
    assert found.rules[0].waiver == last
    assert waived(ended(ending, CORE.id), by=last).rules[0].verdict == "WAIVED"


def test_a_waiver_that_is_over_waives_nothing() -> None:
    """The rule fails, and the waiver is told."""
    found = waived(failed(CORE.id), by=waiver(until=date(2026, 11, 22)))
    assert found.rules[0].verdict == "FAIL"
    assert found.problems == (f"the waiver of {CORE.id} ended on 2026-11-22",)


def test_a_waiver_that_is_not_needed_is_told() -> None:
    """The rule passes, or is not claimed, or cannot be asked."""
    assert "passes: remove" in waived(passed(CORE.id), by=waiver()).problems[0]
    for result in (failed(POWER.id), ended("not-applicable", POWER.id)):
        found = waived(result, by=waiver(POWER.id), rule=POWER)
        assert "remove its waiver" in found.problems[0]


def test_a_race_may_hide_from_its_waiver() -> None:
    """Only where the waiver says that the fault does not show in every run."""
    rare = waiver(OTHER.id, intermittent=True)
    found = waived(passed(OTHER.id), by=rare, rule=OTHER)
    assert (found.rules[0].verdict, found.problems) == ("PASS", ())
    plain = waived(passed(OTHER.id), by=waiver(OTHER.id), rule=OTHER)
    assert len(plain.problems) == 1


def test_a_waiver_of_no_rule_is_a_problem_and_of_another_contract_none() -> None:
    """One file serves the backend and the artifact store of a repository."""
    assert len(waived(passed(CORE.id), by=waiver("B-PAR-9")).problems) == 1
    assert waived(passed(CORE.id), by=waiver("A-PUT-01")).problems == ()
