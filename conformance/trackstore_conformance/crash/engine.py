"""Many trials of one kind of work, each cut elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

from trackstore_conformance.bench import Bench
from trackstore_conformance.crash.kinds import Kind, Workload, run
from trackstore_conformance.crash.nursery import Worker
from trackstore_conformance.crash.tracing import (
    CannotTrace,
    Point,
    Tracer,
    chosen,
    of_changes,
    points,
)
from trackstore_conformance.crash.trial import Trial
from trackstore_conformance.skips import not_exercised

M = TypeVar("M")
LONGER = 1.2
"""How long a call may take before it is killed, as a multiple of what it took undisturbed."""


def kill_at_random(bench: Bench[Any], kind: Kind[M], works: Sequence[Workload]) -> None:
    """Kill workers at random moments; half of the time while another handle is open."""
    random = Random(f"{bench.seed}-moments")
    durations = [rehearsal(bench, kind, work) for work in works]
    for number in bench.in_time(range(half(bench))):
        at = number % len(works)
        trial = Trial(bench, kind, works[at])
        if number % 2:
            kind.look()(bench.store, trial.program)
        kill_in_step(trial, durations[at], random)
        trial.judge()


def half(bench: Bench[Any]) -> int:
    """Return how many trials there are of what is tried in more than one way."""
    return bench.profile.crash_points // 2


def rehearsal(bench: Bench[Any], kind: Kind[M], work: Workload) -> list[float]:
    """Return how many seconds each step takes; also see that the store is right undisturbed."""
    trial = Trial(bench, kind, work)
    durations = []
    with trial.worker() as worker:
        while trial.left:
            start = time.monotonic()
            trial.end(worker.ask(run, trial.begin()))
            durations.append(time.monotonic() - start)
    trial.say("it was killed after all of it")
    trial.judge()
    return durations


def kill_in_step(trial: Trial[M], durations: Sequence[float], random: Random) -> None:
    last = random.randrange(len(durations))
    moment = random.uniform(0, LONGER) * durations[last]
    with trial.worker() as worker:
        for _ in range(last):
            trial.end(worker.ask(run, trial.begin()))
        worker.start(run, trial.begin())
        worker.wait(moment)
        worker.kill()
        if found := worker.last_answer():
            trial.end(found)
    trial.say(f"SIGKILL {moment * 1_000:.2f} ms after the call began, {trial.progress()}")


def kill_at_every_write(bench: Bench[Any], kind: Kind[M], work: Workload, least: int = 1) -> None:
    """Kill workers just before a system call that changes something, each at another one.

    `least` is how many are tried if the profile would try fewer.
    """
    _, found = traced(bench, kind, work)
    random = Random(f"{bench.seed}-{work.name}")
    for point in bench.in_time(chosen(found, max(least, bench.profile.crash_points), random)):
        trial, _ = traced(bench, kind, work, point)
        trial.judge()


def traced(
    bench: Bench[Any], kind: Kind[M], work: Workload, point: Point | None = None
) -> tuple[Trial[M], list[Point]]:
    """Do the work in a store of its own, killed at the point, if one is given."""
    trial = Trial(bench, kind, work)
    return trial, traced_work(trial, point)


def traced_work(trial: Trial[M], point: Point | None = None) -> list[Point]:
    """Do what is left, killed at the point, if one is given; return all points that it has."""
    existing = {str(path.resolve()) for path in trial.bench.folder.rglob("*")}
    with trial.worker() as worker:
        strike = None
        if point is not None:
            strike = f"{point.name}:signal=KILL:when={point.when}"
            trial.say(f"SIGKILL before {point}")
        with tracer(trial.bench, worker, *of_changes(strike)) as trace:
            trial.work(worker, may_die=point is not None)
            worker.kill()
            return points(trace.calls(), existing)


@contextmanager
def tracer(bench: Bench[Any], worker: Worker, *options: str) -> Iterator[Tracer]:
    """Trace a worker by these options; where that cannot be, end the test as not exercised."""
    log = bench.folder.parent / f"{bench.folder.name}.strace"
    try:
        attached = Tracer(worker, log, *options)
    except CannotTrace as error:
        not_exercised(str(error))
    with attached:
        yield attached


def kill_again_in_recovery(bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
    """Kill a worker, then the one that comes after it, and judge what the third one finds."""
    _, found = traced(bench, kind, work)
    random = Random(f"{bench.seed}-recovery-{work.name}")
    most = half(bench)
    firsts = chosen(found, max(1, round(most**0.5)), random)
    for first in bench.in_time(firsts):
        trial, _ = traced(bench, kind, work, first)
        others = traced_work(trial)
        trial.judge()
        for second in bench.in_time(chosen(others, most // len(firsts) - 1, random)):
            trial, _ = traced(bench, kind, work, first)
            traced_work(trial, second)
            trial.judge()
