"""Few tags, which many set, read and delete."""

from collections.abc import Iterable, Iterator
from itertools import count
from random import Random

from trackstore_conformance.checkers.events import Event, of
from trackstore_conformance.checkers.linear import linearize
from trackstore_conformance.checkers.register import register
from trackstore_conformance.concurrent.judging import (
    Finding,
    calls_of,
    event,
    happened,
    indices,
    no_order,
    rule_by_kind,
    surprises,
)
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

TOGETHER = ("t", "u")
"""Tags that are always set in one batch, in either order."""
DELETED = "d"
"""The tag that is deleted too."""
REPEATED = 20
"""How often a value says its text: one that is written in pieces can be read in part."""


def generate(random: Random, rounds: int) -> Program:
    """Return rounds that begin with one write of all, and go on as each likes."""
    numbers = count(1)

    def turn(client: int) -> list[Step]:
        steps = [together(random, text(client, next(numbers))), READ_RUN]
        for _ in range(max(1, rounds // 4)):
            steps.append(one_write(random, text(client, next(numbers))))
            steps += [READ_RUN] * random.randint(0, 1)
        return steps

    return Program("tags", ONE_RUN, one_run(), (everyone(turn), everyone(turn)), (READ_RUN,))


def text(client: int, number: int) -> str:
    return f"{client}-{number} " * REPEATED


def together(random: Random, value: str) -> Step:
    return step("log", run="r", tags=dict.fromkeys(random.sample(TOGETHER, 2), value))


def one_write(random: Random, value: str) -> Step:
    if random.random() < 0.5:
        return together(random, value)
    if random.random() < 0.5:
        return step("log", run="r", deleted=[DELETED])
    return step("log", run="r", tags={DELETED: value})


def judge(history: History) -> Iterator[Finding]:
    yield from surprises(history, {}, {"log": "B-BAT-06"})
    for key in TOGETHER:
        events = list(events_on(key, history))
        yield from rule_by_kind([register(events)], {"unwritten": "B-TAG-03"}, "B-TAG-02", key)
    events = list(events_on(DELETED, history))
    torn = list(unwritten(events))
    yield from torn
    stuck = None if torn else linearize(events, None, following)
    if stuck:
        yield Finding("B-TAG-02", no_order(f"tag {DELETED!r}", stuck, history), indices(stuck))


def events_on(key: str, history: History) -> Iterator[Event]:
    for numbered in calls_of(history, "log", "read_run"):
        call = numbered[1]
        if call.operation == "read_run":
            if call.way == "ok":
                yield event(numbered, "read", call.value["tags"].get(key))
        elif key in call.arguments.get("tags", {}):
            action = "write" if happened(call) else "refused"
            yield event(numbered, action, call.arguments["tags"][key])
        elif key in call.arguments.get("deleted", ()) and happened(call):
            yield event(numbered, "delete", key in call.value if call.way == "ok" else None)


def unwritten(events: Iterable[Event]) -> Iterator[Finding]:
    written = {each.value for each in events if each.action == "write"} | {None}
    for read in of(events, "read"):
        if read.value not in written:
            yield Finding(
                "B-TAG-03", f"{read.value!r:.60} was read, which nobody wrote", (read.index,)
            )


def following(state: str | None, each: Event) -> list[str | None]:
    """A tag that is set, read and deleted; who deletes it is told if it was absent."""
    match each.action:
        case "write":
            return [each.value]
        case "delete":
            return [None] if each.value in {None, state is None} else []
        case "read":
            return [state] if state == each.value else []
    return []


TAGS = Workload(
    "tags", ("B-TAG-02", "B-TAG-03", "B-BAT-06", "B-CON-02", "B-ERR-01"), generate, judge
)
