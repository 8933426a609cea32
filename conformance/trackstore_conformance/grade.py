"""What may be said of a store in one line, and the exit code of a run."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from trackstore_conformance.claims import GRADES, Claims, reaches
from trackstore_conformance.spec import RULES
from trackstore_conformance.verdicts import Judgement, RuleVerdict

Standing = Literal[
    "conformant", "waived", "partial", "not-conformant", "not-proven", "nothing-proven"
]
"""`waived`: conformant but for what is waived.  `partial`: what was asked of it, it keeps.
`not-proven`: nothing is broken, but not all that must be known is."""

NAMES = {
    "tag_reads": "tags",
    "artifact_overwrite": "overwrite",
    "create_only": "create-only",
}
"""What the fields of `Guarantees` are called in a grade, where it is not by their own names."""

MOST_NAMED = 5
EXIT_CODES = {"conformant": 0, "waived": 0, "nothing-proven": 3}
"""Of a run by its standing; any other is 1, and 2 is for a run that could not begin."""


class Grade(Struct, frozen=True):
    """The verdict on a store as a whole: never a percentage."""

    standing: Standing
    text: str
    """In a line: `conformant 1.0 · durability: power-loss · tags: linearizable`."""
    exit_code: int


def grade_of(
    judgement: Judgement,
    claims: Claims,
    version: str,
    *,
    finished: bool = True,
    whole: bool = True,
) -> Grade:
    """Return the grade by the rules of a version of the spec.

    A grade that is claimed and was not proven is not given: the one below it is.  Without
    `whole`, only some rules were asked, which is no grade of the store.
    """
    standing = _standing(judgement, finished=finished)
    if not whole and standing in {"conformant", "waived"}:
        return Grade("partial", f"kept: {_ids(judgement.rules)}, and no other rule was asked", 0)
    text = " · ".join(
        [_opening(standing, judgement, version), *_parts(standing, judgement.rules, claims)]
    )
    return Grade(standing, text, EXIT_CODES.get(standing, 1))


def failed(rules: Iterable[RuleVerdict]) -> list[RuleVerdict]:
    """Return the rules that are claimed and broken."""
    return [each for each in rules if each.verdict == "FAIL"]


def in_doubt(rules: Iterable[RuleVerdict]) -> list[RuleVerdict]:
    """Return the rules that bind the store and of which nothing can be said.

    A graded rule that was not exercised is not among them: it lowers the grade.
    """
    return [
        each
        for each in rules
        if each.claimed
        and (
            each.verdict == "UNKNOWN"
            or (each.verdict == "NOT-EXERCISED" and each.level != "graded")
        )
    ]


def waived(rules: Iterable[RuleVerdict]) -> list[RuleVerdict]:
    return [each for each in rules if each.verdict == "WAIVED"]


def _standing(judgement: Judgement, *, finished: bool) -> Standing:
    if failed(judgement.rules) or judgement.problems:
        return "not-conformant"
    if not any(each.level == "core" and each.tests for each in judgement.rules):
        return "nothing-proven"
    if in_doubt(judgement.rules) or not finished:
        return "not-proven"
    return "waived" if waived(judgement.rules) else "conformant"


def _opening(standing: Standing, judgement: Judgement, version: str) -> str:
    rules = judgement.rules
    if standing == "conformant":
        return f"conformant {version}"
    if standing == "waived":
        return f"conformant {version} but for {_ids(waived(rules))} (waived)"
    if standing == "not-conformant":
        why = _ids(failed(rules)) or "its waivers are wrong"
        return f"not conformant {version}: {why}"
    if standing == "not-proven":
        return f"not proven {version}: {_ids(in_doubt(rules)) or 'the run was cut short'}"
    return f"nothing proven {version}"


def _ids(rules: Sequence[RuleVerdict]) -> str:
    named = ", ".join(each.rule for each in rules[:MOST_NAMED])
    more = len(rules) - MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _parts(standing: Standing, rules: Sequence[RuleVerdict], claims: Claims) -> Iterator[str]:
    if claims.ephemeral:
        yield "ephemeral"
    if standing not in {"conformant", "waived"}:
        return
    held = {each.rule: each.verdict == "PASS" for each in rules}
    for field in GRADES:
        if field != "durability" or not claims.ephemeral:
            yield from _dimension(field, held, getattr(claims.guarantees, field))
    for ability in claims.abilities:
        if all(held[ident] for ident in held if RULES[ident].claim == ability):
            yield ability


def _dimension(field: str, held: dict[str, bool], claim: str) -> Iterator[str]:
    graded = [RULES[ident] for ident in held if RULES[ident].claim == field]
    if graded:
        proven = GRADES[field][0]
        for value in GRADES[field]:
            if not all(held[rule.id] for rule in graded if reaches(rule, value)):
                break
            proven = value
        name = NAMES.get(field, field.replace("_", " "))
        yield f"{name}: {proven}" + (f" ({claim} not proven)" if proven != claim else "")
