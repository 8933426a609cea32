"""Run programs by threads or by processes, and give back their histories."""

from collections.abc import Sequence
from contextlib import closing
from itertools import count
from typing import Any, Literal

from msgspec import Struct

from trackstore_conformance.bench import BackendBench, Bench
from trackstore_conformance.concurrent.program import Kind, Program, Step
from trackstore_conformance.concurrent.races import WORKERS, race_processes, race_threads
from trackstore_conformance.concurrent.recording import Ids, Recorder, run_clients
from trackstore_conformance.history import Call, History
from trackstore_conformance.violations import OutOfTime

Clients = Literal["threads", "processes"]

_folders = count()


class Ran(Struct, frozen=True):
    """What was seen of some programs."""

    histories: list[History]
    missing: str = ""
    """Why they did not come to their end; the histories are then of all that was seen so far."""


def run_programs(
    bench: Bench[Any], programs: Sequence[Program], clients: Clients, patience: float
) -> Ran:
    """Run one program after another, and end after `patience` seconds in any case."""
    jobs = [(program.rounds, ids_for(bench, program)) for program in programs]
    ids = [each for _, each in jobs]
    before = alone(bench, [program.before for program in programs], ids)
    missing = ""
    if clients == "threads":
        during, missing = by_threads(bench, jobs, patience)
    else:
        by_client = race_processes(bench.opener, bench.url, run_clients, jobs, patience=patience)
        during = [
            [call for calls in each for call in calls] for each in zip(*by_client, strict=True)
        ]
    after = [] if missing else alone(bench, [program.after for program in programs], ids)
    recorded = zip(programs, before, during, after or [[] for _ in programs], strict=True)
    histories = [history_of(p, [*b, *d, *a], clients) for p, b, d, a in recorded]
    bench.evidence.operations += sum(len(history.calls) for history in histories)
    return Ran(histories, missing)


def history_of(program: Program, calls: list[Call], clients: Clients) -> History:
    ordered = sorted(calls, key=lambda call: (call.called, call.client))
    return History(program.workload, tuple(ordered), program.seed, clients)


def ids_for(bench: Bench[Any], program: Program) -> Ids:
    return {symbol: fresh_id(bench, symbol, kind) for symbol, kind in program.symbols.items()}


def fresh_id(bench: Bench[Any], symbol: str, kind: Kind) -> str:
    if not isinstance(bench, BackendBench):
        return f"{symbol}{next(_folders)}"
    if kind == "run":
        return bench.new_run_id()
    number = bench.new_experiment_id()
    return number if kind == "experiment" else f"{symbol} {number}"


def alone(
    bench: Bench[Any], programs: Sequence[Sequence[Step]], ids: Sequence[Ids]
) -> list[list[Call]]:
    """Perform steps of each program by a handle of their own, as client 0."""
    found = []
    with closing(bench.opener(bench.url)) as store:
        for steps, known in zip(programs, ids, strict=True):
            recorder = Recorder(0, known)
            for step in steps:
                recorder.perform(store, step)
            found.append(recorder.calls)
    return found


def by_threads(
    bench: Bench[Any], jobs: Sequence[tuple[Any, Ids]], patience: float
) -> tuple[list[list[Call]], str]:
    """Return the calls in each program, and why there are not all of them if so."""
    recorders = [[Recorder(index + 1, ids) for index in range(WORKERS)] for _, ids in jobs]
    handles = [bench.opener(bench.url) for _ in range(2)]
    missing = ""
    try:
        race_threads(handles, run_clients, jobs, recorders, patience=patience)
    except OutOfTime as late:
        missing = str(late)  # the handles stay open: `close` would wait for what never ends
    else:
        for handle in handles:
            handle.close()
    return [[call for each in clients for call in each.whole()] for clients in recorders], missing
