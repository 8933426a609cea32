"""Whether a call that a fault struck told the truth, and left all or nothing."""

from typing import Any

from msgspec import Struct

from trackstore_conformance.faults.kinds import Case, Operation, Rules, State, Step
from trackstore_conformance.faults.scripts import Script
from trackstore_conformance.outcomes import Outcome
from trackstore_conformance.sequential.differences import difference
from trackstore_conformance.violations import Violation

LONGEST = 100


class Scene(Struct, frozen=True):
    """A script, played on an operation, and what would be right."""

    script: Script
    rules: Rules
    operation: Operation
    exchange: int
    case: Case
    step: Step
    first: Outcome
    """How the call comes out where nothing disturbs it."""
    second: Outcome
    """How it comes out when it is made again."""
    before: State
    after: State

    def broken(self, what: str, *rules: str, cause: BaseException | None = None) -> Violation:
        place = f", exchange {self.exchange}" if self.script.repeats else ""
        name = f"script {self.script.name} on {self.operation.name}{place}"
        violation = Violation(*rules, witness=f"{name}: {self.script.says}; {what}")
        violation.__cause__ = cause
        return violation

    def check_ending(self, found: Outcome, state: State, *, struck: bool) -> None:
        """Raise a `Violation` unless the call ended as it may, and told the truth."""
        if not self._may_be_left(state):
            unlike = self._unlike(state, self.before), self._unlike(state, self.after)
            what = "the call is neither undone ({}) nor done ({})".format(*unlike)
            raise self.broken(what, self.operation.rule)
        ending = _ending(found)
        if ending == "done":
            self._check_done(found, state)
        elif ending == "none" and state != self.before:
            raise self.broken(
                f"the call raised {_told(found)}, and had been done", self.rules.outcome
            )
        elif not self._may_be_refused(found):
            raise self.broken(f"the call raised {_told(found)}, not Unavailable", self.rules.error)
        if ending not in (self.script.legal if struck else ("done",)):
            raise self.broken(f"the call ended as {_told(found)}", self.rules.end)

    def _may_be_left(self, state: State) -> bool:
        if self.operation.divides:
            choices = zip(state, self.before, self.after, strict=True)
            return all(found in (old, new) for found, old, new in choices)
        return state in (self.before, self.after)

    def _may_be_refused(self, found: Outcome) -> bool:
        late = self.script.overtaken and found.ways[0] == "InvalidState"
        return late or found.ways[0].startswith("Unavailable")

    def check_noticed(self, found: Outcome, state: State) -> None:
        """Raise a `Violation` if the call was done otherwise than it was given, or answered so."""
        if not self._may_be_left(state):
            what = f"the call was done otherwise: {self._unlike(state, self.after)}"
            raise self.broken(what, self.rules.damage)
        if _ending(found) == "done" and (found.value, state) != (self.first.value, self.after):
            raise self.broken(f"the call returned {_short(found.value)}", self.rules.damage)

    def _check_done(self, found: Outcome, state: State) -> None:
        if state != self.after:
            raise self.broken("the call returned, and had not been done", self.rules.outcome)
        if found.value != self.first.value:
            what = f"the call returned {_short(found.value)}, not {_short(self.first.value)}"
            raise self.broken(what, self.rules.reply)

    def check_repeated(self, found: Outcome, state: State, *, done: bool, tries: int) -> None:
        """Raise a `Violation` unless a repetition found the call done, or did it."""
        right = [self.second] if done else [self.first]
        if tries > 1:
            right.append(self.second)  # a repetition that failed may have done it
        if not any(_agree(found, each) for each in right):
            what = f"the call, made again when all was well, ended as {_told(found)}"
            lasting = found.ways[0].startswith("Unavailable")
            raise self.broken(what, self.rules.reply if lasting else self.operation.rule)
        if state != self.after:
            what = f"the call was made again, and {self._unlike(state, self.after)}"
            raise self.broken(what, self.operation.rule)

    def _unlike(self, state: State, right: State) -> str:
        """Say what there is to see that is otherwise than it should be."""
        pairs = zip(state, right, strict=True)
        return "; ".join(_differing(*each) for each in pairs if each[0] != each[1])


def _differing(seen: tuple[str, Any], right: tuple[str, Any]) -> str:
    """Return the first place at which one thing differs from what it should be."""
    unlike = difference(right[1], seen[1])
    assert unlike is not None
    place = "".join(unlike.path).removeprefix("[1]")
    return (
        f"{seen[0]} has {_short(unlike.found)} at {place or 'all'}, not {_short(unlike.expected)}"
    )


def _short(shown: object) -> str:
    """Return a text of a few lines at most: a history may be long."""
    text = f"{len(shown)} rows" if isinstance(shown, list) else str(shown)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _agree(found: Outcome, expected: Outcome) -> bool:
    return set(found.ways) <= set(expected.ways) and found.value == expected.value


def _ending(found: Outcome) -> str:
    if found.ways == ("ok",):
        return "done"
    return "unknown" if found.ways[0].endswith("outcome unknown") else "none"


def _told(found: Outcome) -> str:
    if found.ways == ("ok",):
        return "done"
    outcome = "" if found.ways[0].endswith("outcome unknown") else ", outcome none"
    return f"{found.ways[0]}{outcome} ({found.message})"
