"""Batches that bear one token in many places, written by some and read by the others."""

from collections.abc import Iterator
from random import Random
from typing import Any

from trackstore_conformance.checkers.fractured import Seen, fractured
from trackstore_conformance.concurrent.judging import Finding, calls_of, shown, surprises
from trackstore_conformance.concurrent.program import Program, Step
from trackstore_conformance.concurrent.workload import (
    ONE_RUN,
    READ_RUN,
    Workload,
    everyone,
    one_run,
    step,
)
from trackstore_conformance.history import History

WRITERS = 3
IN_SCAN = step("read_run_in_scan", run="r", experiment="e")
POINTS = step("read_points", run="r", key="first")


def generate(random: Random, rounds: int) -> Program:
    """Return one round: three write batch after batch, and the others read all the while."""
    amount = 2 * rounds

    def turn(client: int) -> list[Step]:
        if client <= WRITERS:
            return [token_batch(random, client + 10 * number) for number in range(1, amount)]
        return [random.choice([READ_RUN, READ_RUN, IN_SCAN, POINTS]) for _ in range(amount)]

    after = (READ_RUN, IN_SCAN, POINTS)
    return Program("batches", ONE_RUN, one_run(), (everyone(turn),), after)


def token_batch(random: Random, token: int) -> Step:
    """Return a batch that shows its token in two tags, two params, and two points of two keys."""
    value = str(token)
    points = [[key, float(token), at, token] for key in ("first", "last") for at in (0, 1)]
    random.shuffle(points)
    params = {f"p{token}": value, f"q{token}": value}
    return step("log", run="r", params=params, tags={"t": value, "u": value}, points=points)


def judge(history: History) -> Iterator[Finding]:
    yield from surprises(history, {}, {"log": "B-CON-02"})
    for index, call in calls_of(history, "read_run", "read_run_in_scan", "read_points"):
        if call.way != "ok":
            continue
        if call.value is None:
            yield Finding("B-SES-01", f"{shown(call)} did not find the run", (index,))
            continue
        of_run = call.operation != "read_points"
        seen = of_a_run(call.value) if of_run else of_points(call.value)
        torn = fractured(seen, writer_of)
        if torn:
            yield Finding("B-BAT-02", f"{shown(call)}: {torn}", (index,))


def writer_of(token: int) -> int:
    return token % 10


def of_a_run(run: dict[str, Any]) -> Seen:
    everywhere = [{int(key[1:]) for key in run["params"] if key[0] == kind} for kind in "pq"]
    greatest = [run["latest"].get(key, (0, 1, 0)) for key in ("first", "last")]
    return Seen(
        tuple(everywhere),
        tuple(number for point in greatest for number in (point[0], int(point[2]))),
        tuple(int(run["tags"].get(key, 0)) for key in "tu"),
    )


def of_points(points: list[list[Any]]) -> Seen:
    return Seen(tuple({place for place, time, _ in points if time == at} for at in (0, 1)))


BATCHES = Workload("batches", ("B-BAT-02", "B-SES-01", "B-CON-02", "B-ERR-01"), generate, judge)
