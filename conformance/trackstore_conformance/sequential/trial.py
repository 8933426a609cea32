"""The same calls on a store and on the model, one after another, until they disagree."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from hypothesis.errors import FlakyFailure

from trackstore.stores import Store
from trackstore_conformance.bench import Bench
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.sequential.differences import Difference, difference, source
from trackstore_conformance.sequential.program import OPEN, REOPEN, Mismatch, Step, place_of, script
from trackstore_conformance.sequential.reducer import reduced
from trackstore_conformance.violations import OutOfTime, Violation

S = TypeVar("S", bound=Store)
LONGEST_WITNESS = 500


class Trial(ABC, Generic[S]):
    """One sequence of calls on an untouched store; `take` raises a `Violation` when it is wrong."""

    writes: ClassVar[frozenset[str]]
    """The calls that may change something."""

    def __init__(self, bench: Bench[S]) -> None:
        self.bench = bench
        self.handle = "store"
        self.late: S | None = None
        self.taken: list[tuple[Step, Outcome]] = []
        """The steps so far, each with how it had to come out."""
        self.end: Mismatch | None = None
        self.agreed = True
        self.violation: Violation | None = None
        """What the last step showed."""

    @abstractmethod
    def expected(self, step: Step) -> Outcome:
        """Make the call on the model."""

    @abstractmethod
    def call(self, store: S, step: Step) -> Any:
        """Make the call on the store."""

    @abstractmethod
    def rule_of(self, step: Step, found: Outcome, wrong: Difference | None) -> str:
        """Return the rule that is broken: the outcome of `step`, the last one, is not `found`."""

    def do(self, call: str, *args: Any, **options: Any) -> Outcome:
        return self.take(Step(call, args, options, self.handle))

    def take(self, step: Step) -> Outcome:
        """Make a call on both and return how it came out on the store."""
        if step.call in {OPEN, REOPEN}:
            return self.open_again(step)
        self.agreed = False
        expected = self.expected(step)
        self.taken.append((step, expected))
        self.end = Mismatch(expected)
        found = outcome(self.call, self.open_handle(step.handle), step)
        self.judge(step, found, expected)
        self.agreed = True
        return found

    def judge(self, step: Step, found: Outcome, expected: Outcome) -> None:
        right_way = set(found.ways) <= set(expected.ways)
        if right_way and found.value == expected.value:
            return
        wrong = difference(expected.raw, found.raw) if right_way else None
        self.end = Mismatch(expected, found, wrong)
        rule = self.rule_of(step, found, wrong)
        self.violation = Violation(rule, witness=said(step, self.end))
        raise self.violation

    def open_handle(self, name: str) -> S:
        if name != "late":
            store: S = getattr(self.bench, name)
            return store
        if self.late is None:
            self.late = self.bench.open()
        return self.late

    def open_again(self, step: Step) -> Outcome:
        self.taken.append((step, Outcome(("ok",))))
        if step.call == REOPEN:
            self.bench.close()
        elif self.late is not None:
            self.late.close()
        self.late = None
        return Outcome(("ok",))

    def is_right_elsewhere(self, step: Step) -> bool:
        """Tell if a handle that is opened now reads what `step` had to: the other one is stale."""
        assert self.end is not None
        if step.call in self.writes:
            return False
        found = outcome(self.call, self.bench.open(), step)
        expected = self.end.expected
        return (found.ways, found.value) == (expected.ways, expected.value)

    def last_write(self) -> tuple[Step, Outcome] | None:
        """Return the write before the last step."""
        earlier = reversed(self.taken[:-1])
        return next(((s, o) for s, o in earlier if s.call in self.writes), None)

    def as_script(self, violation: Violation) -> str:
        assert self.end is not None
        return script(
            violation.rules[0],
            violation.witness,
            self.taken,
            self.end,
            place_of(self.bench.harness.url, self.bench.harness.opener),
        )


def said(step: Step, end: Mismatch) -> str:
    """Say in a sentence what went wrong."""
    call = str(step)
    if end.difference is None:
        assert end.found is not None
        text = f"had to be {' or '.join(end.expected.ways)}, and was {end.found.ways[0]}"
        text += f" ({end.found.message})" if end.found.message else ""
    else:
        way = "".join(end.difference.path)
        wanted, found = source(end.difference.expected), source(end.difference.found)
        text = f"had to give {way or 'as a whole'} {wanted}, and gave {found}"
    return cut(f"{cut(call)} {text}")


def cut(text: str) -> str:
    return text if len(text) <= LONGEST_WITNESS else f"{text[:LONGEST_WITNESS]}..."


def run_trials(run: Callable[[], None], failed: Sequence[Trial[Any]]) -> None:
    """Run generated trials, and add to a violation the smallest program that shows it.

    `failed` has, when `run` fails, the trials that did, the last one last.  A violation that was
    found stays one if the time is over before its program is small.
    """
    try:
        run()
    except OutOfTime:
        shown = [trial for trial in failed if trial.violation]
        if not shown:
            raise
        raise_with_script(shown[-1])
    except Violation as violation:
        explain(violation, failed)
    except FlakyFailure as flaky:
        matched, _ = flaky.split(Violation)
        if matched is None:
            raise
        explain(first(matched), failed)


def first(group: BaseExceptionGroup[Violation]) -> Violation:
    found = group.exceptions[0]
    return found if isinstance(found, Violation) else first(found)


def explain(violation: Violation, failed: Sequence[Trial[Any]]) -> NoReturn:
    """Raise the violation with a program that is as small as it can soon be made."""
    if failed:
        violation.script = smallest(violation, failed[-1]).as_script(violation)
    raise violation


def raise_with_script(trial: Trial[Any]) -> NoReturn:
    """Raise what the trial showed, with its program as it is."""
    assert trial.violation is not None
    trial.violation.script = trial.as_script(trial.violation)
    raise trial.violation from None


def smallest(violation: Violation, trial: Trial[Any]) -> Trial[Any]:
    """Return a trial that breaks the same rules with fewer calls, or the same one.

    The calls are made again with the same ids, which takes a store of its own.
    """
    best = [trial]
    if not (trial.bench.place.untouched and trial.bench.profile.shrinks):
        return trial

    def still_fails(steps: Sequence[Step]) -> Sequence[Step] | None:
        trial.bench.move()
        again = type(trial)(trial.bench)
        try:
            for step in steps:
                again.take(step)
        except Violation as found:
            if found.rules == violation.rules:
                best.append(again)
                violation.witness = found.witness
                return [step for step, _ in again.taken]
        return None

    reduced([step for step, _ in trial.taken], still_fails)
    return best[-1]
