"""From how the tests ended to what may be said of each rule.

A verdict never says more than was seen: a rule is PASS if every one of its tests that could be run
came to its end and found nothing.  What a store does not claim is told apart from what it breaks.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from trackstore_conformance.claims import Claims, claimed
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.history import History
from trackstore_conformance.results import Result
from trackstore_conformance.spec import Level, Rule
from trackstore_conformance.waivers import Waiver, Waivers, unknown

Verdict = Literal[
    "PASS",
    "FAIL",
    "ABSENT",
    "UNCLAIMED-BUT-HELD",
    "NOT-EXERCISED",
    "N/A",
    "WAIVED",
    "UNKNOWN",
    "UNTESTED",
]
"""`PASS`: claimed, and nothing against it was found with the effort that is told.  `FAIL`: claimed,
and broken.  `ABSENT`: not claimed, and rightly so.  `UNCLAIMED-BUT-HELD`: not claimed, and nothing
against it was found.  `NOT-EXERCISED`: no test of it ran, for want of something here.  `N/A`: it
asks for what the store says it has not.  `WAIVED`: it would be worse, and the plug-in's author says
why.  `UNKNOWN`: a test did not come to its end.  `UNTESTED`: the suite has no test of it."""


class Counterexample(Struct, frozen=True):
    """How a rule was seen broken."""

    test: str
    said: str
    """In a sentence."""
    detail: str = ""
    script: str | None = None
    history: History | None = None


class RuleVerdict(Struct, frozen=True):
    """What may be said of one rule, and what stands behind it."""

    rule: str
    title: str
    level: Level
    claimed: bool
    verdict: Verdict
    evidence: Evidence
    """What its tests tried in all; a test of two rules counts for both."""
    seconds: float
    tests: tuple[str, ...]
    """Those that ran."""
    claim: str | None = None
    """What of the store decides whether it is claimed: `durability: power-loss`."""
    notes: tuple[str, ...] = ()
    """Why tests did not run, or did not come to their end."""
    counterexample: Counterexample | None = None
    """The first one."""
    waiver: Waiver | None = None


class Judgement(Struct, frozen=True):
    """All verdicts on one store."""

    rules: tuple[RuleVerdict, ...]
    problems: tuple[str, ...] = ()
    """What is wrong with the waivers, a sentence each; any makes the run fail."""


def judge(
    results: Sequence[Result],
    rules: Sequence[Rule],
    claims: Claims,
    waivers: Waivers,
    today: date,
) -> Judgement:
    """Return the verdict on each of `rules`, in their order.

    `results` are of all tests of the suite, those that were not run included (`not_run`).
    `waivers` are those about this store (`waivers.of_store`).
    """
    by_rule = {waiver.rule: waiver for waiver in waivers}
    bare = [_verdict(rule, [r for r in results if _is_about(r, rule)], claims) for rule in rules]
    return Judgement(
        rules=tuple(_waived(each, by_rule.get(each.rule), today) for each in bare),
        problems=(*unknown(waivers), *_problems(bare, by_rule, today)),
    )


def not_run(tests: Mapping[str, Iterable[str]], results: Sequence[Result]) -> list[Result]:
    """Return a result for every test that has none; `tests` are the rules of each by its name."""
    ran = {result.test for result in results}
    return [
        Result(name, tuple(rules), "not-run", 0.0, reason="it was not run")
        for name, rules in tests.items()
        if name not in ran
    ]


def broken_by(result: Result) -> tuple[str, ...]:
    """Return the rules that a test found broken: one that failed has always found some."""
    return (result.broken or result.rules) if result.ending == "failed" else ()


def _is_about(result: Result, rule: Rule) -> bool:
    return rule.id in result.rules or rule.id in broken_by(result)


def _verdict(rule: Rule, results: Sequence[Result], claims: Claims) -> RuleVerdict:
    ran = [each for each in results if each.ending in {"passed", "failed", "unknown"}]
    return RuleVerdict(
        rule=rule.id,
        title=rule.title,
        level=rule.level,
        claim=f"{rule.claim}: {rule.grade}" if rule.grade else rule.claim,
        claimed=claimed(rule, claims),
        verdict=_word(rule, results, claims),
        evidence=sum((each.evidence for each in ran), Evidence()),
        seconds=sum(each.seconds for each in ran),
        tests=tuple(each.test for each in ran),
        notes=tuple(dict.fromkeys(_notes(rule, results))),
        counterexample=next((_shown(r) for r in results if rule.id in broken_by(r)), None),
    )


def _word(rule: Rule, results: Sequence[Result], claims: Claims) -> Verdict:
    mine = claimed(rule, claims)
    if any(rule.id in broken_by(result) for result in results):
        return "FAIL" if mine else "ABSENT"
    if rule.level == "ability" and not mine:
        return "ABSENT"  # there is no method, so its tests ran on the front's scan, if at all
    if rule.untested is not None:
        return "UNTESTED"
    endings = {result.ending for result in results}
    if endings & {"unknown", "failed"} or endings >= {"passed", "not-run"}:
        return "UNKNOWN"  # one that failed for another rule never got to this one
    if "passed" in endings:
        return "PASS" if mine else "UNCLAIMED-BUT-HELD"
    return "N/A" if endings == {"not-applicable"} else "NOT-EXERCISED"


def _notes(rule: Rule, results: Sequence[Result]) -> Iterable[str]:
    if rule.untested is not None:
        yield rule.untested
    if left_out := [each for each in results if each.ending == "not-run"]:
        yield f"{len(left_out)} tests of it were not run"
    for each in results:
        others = broken_by(each)
        if each.ending not in {"passed", "failed", "not-run"}:
            yield f"{each.test}: {each.ending}: {each.reason}"
        elif others and rule.id not in others:
            yield f"{each.test}: ended at a violation of {', '.join(others)}"


def _shown(result: Result) -> Counterexample:
    return Counterexample(result.test, result.reason, result.detail, result.script, result.history)


MAY_BE_WAIVED = {"FAIL", "UNKNOWN", "NOT-EXERCISED"}


def _waived(bare: RuleVerdict, waiver: Waiver | None, today: date) -> RuleVerdict:
    if waiver is None:
        return bare
    counts = bare.verdict in MAY_BE_WAIVED and today <= waiver.until
    return replace(bare, waiver=waiver, verdict="WAIVED" if counts else bare.verdict)


def _problems(
    bare: Iterable[RuleVerdict], waivers: Mapping[str, Waiver], today: date
) -> Iterable[str]:
    for each in bare:
        waiver = waivers.get(each.rule)
        if waiver is None:
            continue
        if waiver.until < today:
            yield f"the waiver of {each.rule} ended on {waiver.until}"
        elif each.verdict == "PASS" and not waiver.intermittent:
            yield f"{each.rule} is waived and passes: remove its waiver"
        elif each.verdict not in MAY_BE_WAIVED | {"PASS"}:
            yield f"{each.rule} is waived and is {each.verdict}: remove its waiver"
