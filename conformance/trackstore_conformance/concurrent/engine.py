"""Run the programs of a workload, judge what was seen, and raise what is wrong with it."""

from collections.abc import Iterator, Sequence
from random import Random
from time import monotonic
from typing import Any

from trackstore_conformance.bench import Bench
from trackstore_conformance.checkers.events import Undecided
from trackstore_conformance.concurrent.judging import Finding
from trackstore_conformance.concurrent.program import Program
from trackstore_conformance.concurrent.reducing import Failure, reduce
from trackstore_conformance.concurrent.running import Clients, run_programs
from trackstore_conformance.concurrent.scripts import script_for
from trackstore_conformance.concurrent.workload import Workload
from trackstore_conformance.concurrent.workloads import WORKLOADS
from trackstore_conformance.history import NEVER, History
from trackstore_conformance.violations import OutOfTime, Violation

AT_ONCE = 4
"""Programs that clients are given together; they open the store once for all of them."""
REDUCING = {"quick": 3.0, "standard": 20.0, "soak": 120.0}
"""Seconds for making a program that failed smaller, by profile."""


def recheck(history: History) -> list[Finding]:
    """Judge a history again, as it was judged when it was made; the store is not needed.

    Raises `LookupError` for a workload that this suite has not, and `Undecided` if the search for
    an order was given up.
    """
    if history.workload not in WORKLOADS:
        raise LookupError(f"there is no workload {history.workload!r} in this version of the suite")
    return list(WORKLOADS[history.workload].judge(history))


def check(bench: Bench[Any], workload: Workload, clients: Clients) -> None:
    """Raise `Violation` if any history shows a rule broken, `OutOfTime` if any is not decided."""
    began = monotonic()
    undecided = ""
    for programs in generated(bench, workload, clients):
        if (taken := monotonic() - began) > bench.profile.seconds:
            break
        patience = bench.profile.seconds_per_test - taken
        ran = run_programs(bench, programs, clients, patience)
        bench.evidence.histories += len(programs)
        failures, doubts = judged(programs, ran.histories)
        if failures:
            worst = max(failures, key=lambda failure: len(failure.rules))
            raise violation(bench, worst, clients)
        if ran.missing:
            raise OutOfTime(ran.missing)
        undecided = undecided or doubts
    if undecided:
        raise OutOfTime(undecided)


def judged(programs: Sequence[Program], histories: Sequence[History]) -> tuple[list[Failure], str]:
    """Return what failed, and why something could not be decided."""
    failures, doubts = [], ""
    for program, history in zip(programs, histories, strict=True):
        try:
            findings = recheck(history)
        except Undecided as given_up:
            doubts = str(given_up)
            continue
        if findings:
            failures.append(Failure(program, history, findings))
        doubts = doubts or mostly_unknown(history)
    return failures, doubts


def generated(
    bench: Bench[Any], workload: Workload, clients: Clients
) -> Iterator[Sequence[Program]]:
    chosen = Random(f"{bench.seed}-{workload.name}-{clients}")
    seeds = [chosen.randrange(2**53) for _ in range(bench.profile.histories)]
    for begin in range(0, len(seeds), AT_ONCE):
        yield [
            workload.generate(seed, bench.profile.rounds) for seed in seeds[begin : begin + AT_ONCE]
        ]


def mostly_unknown(history: History) -> str:
    """Say so if so few outcomes are known that nothing could have been found."""
    unknown = sum(call.returned == NEVER for call in history.calls)
    if 2 * unknown <= len(history.calls):
        return ""
    return f"of {len(history.calls)} calls {unknown} have an unknown outcome"


def violation(bench: Bench[Any], failure: Failure, clients: Clients) -> Violation:
    """Return what to raise: with a script for one of its rules, and the proof of all of them.

    That is the history of the smaller program, if it shows as much as that of the whole one.
    """
    smaller = failure
    if bench.profile.shrinks:
        smaller = reduce(bench, failure, clients, REDUCING[bench.profile.name], recheck)
    first = smaller.findings[0]
    script = script_for(smaller.program, bench.opener, f"{first.rule}: {first.witness}")
    proof = smaller if set(smaller.rules) >= set(failure.rules) else failure
    return Violation(*proof.rules, witness=first.witness, script=script, history=proof.history)
