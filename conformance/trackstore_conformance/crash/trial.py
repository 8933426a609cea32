"""One store, the model of what it must hold, and the verdict after something cut its work."""

from collections.abc import Sequence
from typing import Any, Generic, NoReturn, TypeVar

from trackstore_conformance.bench import Bench
from trackstore_conformance.crash.child import close
from trackstore_conformance.crash.kinds import Facts, Kind, Step, Workload, may_end, run
from trackstore_conformance.crash.nursery import PATIENCE, Died, Worker
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.skips import not_exercised
from trackstore_conformance.violations import Violation

M = TypeVar("M")
MOST_SHOWN = 4
STEPS_AFTERWARDS = 3
"""How many of the steps that were left are done after a kill, to see that writes work."""


class Trial(Generic[M]):
    """A program on a store of its own.

    `model` is what must be there, by what was acknowledged; `cut` is the call that was not
    answered, so that it may be there too.
    """

    def __init__(self, bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
        bench.move()
        self.bench = bench
        self.kind = kind
        self.rules = kind.rules
        self.model = kind.model()
        self.cut: Step | None = None
        with bench.opener(bench.url) as store:
            program = work.program(bench.seed, lead_of(bench))
            self.program = kind.claimed(program, store.guarantees)
            self.left = list(self.program.steps)
            self.story = f"work {program.name!r}"
            for step in program.prepared:
                self.take(step, outcome(run, store, step))

    def worker(self) -> Worker:
        return Worker(self.bench.opener, self.bench.url)

    def take(self, step: Step, found: Outcome) -> None:
        """Bring the model forward by a call that nothing disturbed."""
        self.bench.evidence.operations += 1
        self.model, ways = self.kind.after(self.model, step)
        if not may_end(ways, found):
            not_exercised(
                f"{step} came out as {found.ways[0]!r} and not as {' or '.join(ways)!r} though "
                f"nothing was killed yet: {found.message}"
            )

    def work(self, worker: Worker, *, may_die: bool) -> None:
        """Do the steps that are left, and close the handle, unless the worker dies before.

        If a call was cut before, look first whether it is there.
        """
        try:
            if self.cut is not None:
                self.settle_by(worker.ask(self.kind.look(), self.program))
            while self.left:
                self.end(worker.ask(run, self.begin()))
            worker.ask(close)
        except TimeoutError:
            self.accuse(self.rules.repair, f"{self.cut} hung for {PATIENCE:.0f} s")
        except Died:
            self.say(self.progress())
            if not may_die:
                self.accuse(self.rules.repair, "nothing had killed it")

    def begin(self) -> Step:
        self.cut = self.left.pop(0)
        return self.cut

    def end(self, found: Outcome) -> None:
        """Take the answer to the call that was begun."""
        assert self.cut is not None
        step, self.cut = self.cut, None
        self.take(step, found)

    def say(self, what: str) -> None:
        self.story += f"; {what}"

    def progress(self) -> str:
        done = len(self.program.steps) - len(self.left)
        if self.cut is None:
            return f"it died after step {done} was acknowledged"
        return f"it died in step {done}: {self.cut}"

    def judge(self) -> None:
        """Open the store anew, and see that it holds what it must, and takes writes."""
        self.bench.evidence.crash_points += 1
        with self.worker() as worker:
            self.settle_by(self.ask(worker, self.kind.look(), self.program))
            for step in self.left[:STEPS_AFTERWARDS]:
                self.write(worker, step)
            expected, found = self.kind.facts(self.model, self.program), self.look(worker)
            if found != expected:
                said = differences(expected, found)
                self.accuse(self.rules.repair, f"writes after that came out otherwise: {said}")
            self.expect_ok(worker.ask(close), "close()")

    def look(self, worker: Worker) -> Facts:
        found = self.ask(worker, self.kind.look(), self.program)
        self.expect_ok(found, "reading it all")
        facts: Facts = found.raw
        return facts

    def write(self, worker: Worker, step: Step) -> None:
        self.model, ways = self.kind.after(self.model, step)
        found = self.ask(worker, run, step)
        if not may_end(ways, found):
            self.accuse(self.rules.repair, f"after that {step} {ending(found)}")

    def ask(self, worker: Worker, *call: Any) -> Outcome:
        try:
            return worker.ask(*call)
        except TimeoutError:
            self.accuse(self.rules.repair, f"after that a call hung for {PATIENCE:.0f} s")
        except Died:
            self.accuse(self.rules.repair, "after that the process crashed by itself")

    def expect_ok(self, found: Outcome, what: str) -> None:
        if found.ways != ("ok",):
            self.accuse(self.rules.repair, f"after that {what} {ending(found)}")

    def settle_by(self, found: Outcome) -> None:
        """Find out whether the call that was cut is there; if it is not, it is left to be done."""
        self.expect_ok(found, "reading it all")
        self.settle(found.raw)
        if self.cut is not None:
            self.left.insert(0, self.cut)
            self.cut = None

    def settle(self, found: Facts) -> None:
        before = self.kind.facts(self.model, self.program)
        if found == before:
            return
        if self.cut is None:
            self.accuse(self.rules.lost, differences(before, found))
        model, _ = self.kind.after(self.model, self.cut)
        after = self.kind.facts(model, self.program)
        if found != after:
            part = self.kind.settle(self.model, self.cut, found)
            if part is None:
                self.blame(before, after, found)
            self.model = part
            return
        self.model, self.cut = model, None

    def blame(self, before: Facts, after: Facts, found: Facts) -> NoReturn:
        """Tell what was lost, or came back, from a call that was done in part."""
        kept = {name: value for name, value in before.items() if after.get(name) == value}
        earlier = self.earlier()
        lost = {
            name: value
            for name, value in {**found, **kept}.items()
            if found.get(name) not in (before.get(name), after.get(name))
            and (name in kept or (name, repr(value)) in earlier)
        }
        if lost:
            self.accuse(self.rules.lost, differences(before, found, only=lost))
        self.accuse(self.rules.torn, differences(after, found))

    def earlier(self) -> set[tuple[tuple[str, ...], str]]:
        """Return every fact that was ever true."""
        model, facts = self.kind.model(), set[tuple[tuple[str, ...], str]]()
        done = len(self.program.steps) - len(self.left) - (self.cut is not None)
        for step in (*self.program.prepared, *self.program.steps[:done]):
            model, _ = self.kind.after(model, step)
            seen = self.kind.facts(model, self.program)
            facts |= {(name, repr(value)) for name, value in seen.items()}
        return facts

    def accuse(self, rule: str, what: str) -> NoReturn:
        raise Violation(rule, witness=f"{self.story}; then {what}")


def lead_of(bench: Bench[Any]) -> str:
    """Return digits that lead all ids, if the store is not the test's alone."""
    return "" if bench.place.untouched else f"{int(bench.place.name, 16) % 10**10:010d}"


def differences(expected: Facts, found: Facts, only: Facts | None = None) -> str:
    """Say what is missing, what is there unasked, and what is there otherwise."""
    names = expected.keys() | found.keys() if only is None else only.keys()
    wrong = [name for name in names if expected.get(name) != found.get(name)]
    wrong.sort(key=lambda name: (name[0].startswith("listed"), name))
    said = [
        f"{' '.join(name)}: expected {_value(expected, name)}, found {_value(found, name)}"
        for name in wrong[:MOST_SHOWN]
    ]
    more = len(wrong) - len(said)
    return "; ".join(said) + (f"; and {more:,} more" if more > 0 else "")


def _value(facts: Facts, name: Sequence[str]) -> str:
    return repr(facts[tuple(name)])[:120] if tuple(name) in facts else "nothing"


def ending(found: Outcome) -> str:
    return f"ended with {found.ways[0]}: {found.message}" if found.ways != ("ok",) else "succeeded"
