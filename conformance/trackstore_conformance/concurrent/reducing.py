"""Make a program that failed smaller, as long as it still fails now and then.

A race is not lost every time.  A smaller program is taken if it fails once in twenty runs, and
the run in which it did is kept: the history is the proof, not the chance of seeing it again.
"""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from trackstore_conformance.bench import Bench
from trackstore_conformance.checkers.events import Undecided
from trackstore_conformance.concurrent.judging import Finding
from trackstore_conformance.concurrent.program import Program, Step
from trackstore_conformance.concurrent.running import Clients, run_programs
from trackstore_conformance.history import History
from trackstore_conformance.violations import OutOfTime

Recheck = Callable[[History], list[Finding]]
Place = tuple[int, int, int]
"""Where a step of a client is: in which round, of which client, the how manieth."""

RUNS = 20
AT_ONCE = 5


class Failure(Struct, frozen=True):
    """A program, and what was seen when it failed."""

    program: Program
    history: History
    findings: list[Finding]

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.rule for finding in self.findings))


def reduce(
    bench: Bench[Any], failure: Failure, clients: Clients, seconds: float, recheck: Recheck
) -> Failure:
    """Return a failure of the first rule, of a program that is smaller if one was found in time."""
    deadline = monotonic() + seconds
    best, tried = failure, True
    while tried:
        tried = False
        for candidate in candidates(best.program):
            found = failing(bench, candidate, best, clients, deadline, recheck)
            if monotonic() > deadline:
                return found or best
            if found:
                best, tried = found, True
                break
    return best


def candidates(program: Program) -> Iterator[Program]:
    """Yield programs with fewer steps, those with the fewest first."""
    places = places_of(program)
    for number in range(len(program.rounds)):
        yield from fewer(program, [place for place in places if place[0] == number])
    size = len(places) // 2
    while size:
        for begin in range(0, len(places), size):
            yield from fewer(program, places[:begin] + places[begin + size :])
        size //= 2
    for number in range(len(program.after)):
        yield replace(program, after=program.after[:number] + program.after[number + 1 :])


def places_of(program: Program) -> list[Place]:
    return [
        (number, client, place)
        for number, suffixes in enumerate(program.rounds)
        for client, suffix in enumerate(suffixes)
        for place in range(len(suffix))
    ]


def fewer(program: Program, kept: Sequence[Place]) -> Iterator[Program]:
    """Yield the program with these steps of the clients only, and with what they need."""
    if not kept or len(kept) == len(places_of(program)):
        return
    chosen = set(kept)
    rounds = [
        tuple(
            tuple(each for place, each in enumerate(suffix) if (number, client, place) in chosen)
            for client, suffix in enumerate(suffixes)
        )
        for number, suffixes in enumerate(program.rounds)
    ]
    yield pruned(replace(program, rounds=tuple(each for each in rounds if any(each))))


def pruned(program: Program) -> Program:
    """Leave out what is prepared for nobody, and reads of what is not there then."""
    steps = [each for suffixes in program.rounds for suffix in suffixes for each in suffix]
    used = {owner(each) for each in steps} | symbols(steps)
    after = tuple(each for each in program.after if owner(each) in used)
    used |= symbols(after)
    before: list[Step] = []
    for each in reversed(program.before):
        if owner(each) in used:
            before.insert(0, each)
            used |= symbols([each])
    left = symbols([*before, *steps, *after])
    known = {symbol: kind for symbol, kind in program.symbols.items() if symbol in left}
    return replace(program, symbols=known, before=tuple(before), after=after)


def owner(each: Step) -> str | None:
    """Return what a step is about: a run, an experiment, a path, or a name."""
    given = each.arguments
    found = (given[key] for key in ("run", "experiment", "path", "name", "root") if key in given)
    return next(found, None)


def symbols(steps: Sequence[Step]) -> set[str | None]:
    return {value for each in steps for value in each.arguments.values() if isinstance(value, str)}


def failing(
    bench: Bench[Any],
    candidate: Program,
    known: Failure,
    clients: Clients,
    deadline: float,
    recheck: Recheck,
) -> Failure | None:
    """Run a program until it fails as the known one did, twenty times at most."""
    for _ in range(RUNS // AT_ONCE):
        patience = deadline - monotonic()
        if patience <= 0:
            return None
        try:
            ran = run_programs(bench, [candidate] * AT_ONCE, clients, patience)
            for history in ran.histories:
                findings = recheck(history)
                if known.rules[0] in {finding.rule for finding in findings}:
                    return Failure(candidate, history, in_front(known.rules[0], findings))
        except (OutOfTime, Undecided):
            return None
    return None


def in_front(rule: str, findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.rule != rule)
