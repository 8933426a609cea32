"""One run, whose fields many change, and in which each counts: what a client may rely on."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from random import Random

from trackstore_conformance.checkers.events import Event, of
from trackstore_conformance.checkers.latest import NOTHING, latest
from trackstore_conformance.checkers.linear import linearize
from trackstore_conformance.checkers.sessions import sessions
from trackstore_conformance.concurrent.judging import (
    Finding,
    calls_of,
    event,
    happened,
    indices,
    no_order,
    surprises,
)
from trackstore_conformance.concurrent.program import Program, Step
from trackstore_conformance.concurrent.workload import (
    CLIENTS,
    ONE_RUN,
    READ_RUN,
    Workload,
    everyone,
    one_run,
    step,
)
from trackstore_conformance.history import History

STATUSES = ("FINISHED", "FAILED", "RUNNING")
FIELDS = {"set_status": ("status", "status"), "set_end_time": ("at", "end")}
"""Of each operation, its argument and the field of a run that it sets."""
AT_FIRST: Mapping[str, object] = {"status": "RUNNING", "end": None}


def generate(random: Random, rounds: int) -> Program:
    """Return rounds in which some set the status, some the end, all count, and all read."""
    numbers = range(1, 1 + rounds)
    played = [everyone(partial(turn, random, number)) for number in numbers]
    return Program("updates", ONE_RUN, one_run(), tuple(played), (READ_RUN,))


def turn(random: Random, number: int, client: int) -> list[Step]:
    """Change a field, then count: who has the count must have the change."""
    steps = [counted(client, number)]
    if client <= 3:
        steps.insert(0, step("set_status", run="r", status=random.choice(STATUSES)))
    elif client <= 6:
        steps.insert(0, step("set_end_time", run="r", at=random.randrange(1, 4)))
    first, last = ([READ_RUN] * random.randint(0, 1) for _ in range(2))
    return [*first, *steps, *last]


def counted(client: int, number: int) -> Step:
    """Return the write of a client's own counter, which is a point of a key of his."""
    return step("log", run="r", points=[[f"count {client}", float(number), number, number]])


def judge(history: History) -> Iterator[Finding]:
    """Find stale reads; and changes that were undone, unless a stale read explains it."""
    yield from surprises(history, {}, {})
    stale = list(stale_reads(history))
    yield from stale
    for operation in FIELDS:
        yield from undone(operation, history, in_the_end=bool(stale))


def stale_reads(history: History) -> Iterator[Finding]:
    for clash in sessions(list(counts(history))):
        yield Finding("B-SES-01", f"{clash.kind}: {clash.why}", clash.calls)
    for client in range(1, CLIENTS + 1):
        for clash in latest(list(counts_of(client, history))):
            yield Finding("B-SES-01", f"the count of client {client}: {clash.why}", clash.calls)


def undone(operation: str, history: History, *, in_the_end: bool) -> Iterator[Finding]:
    """Yield what no order of the changes of one field explains, or only what it was in the end."""
    field = FIELDS[operation][1]
    changes = list(events_on(operation, history))
    writes, reads = of(changes, "write"), of(changes, "read")
    counted = [each for each in counts(history) if each.action == "write"]
    told = [r for r in reads if r.client == 0 or (not in_the_end and settled(r, writes, counted))]
    events = [*writes, *told]
    stuck = linearize(events, AT_FIRST[field], following)
    if stuck:
        yield Finding("B-RUN-01", no_order(field, stuck, history), indices(stuck))


def settled(read: Event, writes: Sequence[Event], counted: Sequence[Event]) -> bool:
    """Tell if all who had changed the field had counted too: a stale read then misses that."""
    return all(
        any(
            each.client == write.client
            and write.returned <= each.called
            and each.returned < read.called
            for each in counted
        )
        for write in writes
        if write.returned < read.called
    )


def events_on(operation: str, history: History) -> Iterator[Event]:
    argument, field = FIELDS[operation]
    for numbered in calls_of(history, operation, "read_run"):
        call = numbered[1]
        if call.operation == operation and happened(call):
            yield event(numbered, "write", call.arguments[argument])
        elif call.operation == "read_run" and call.way == "ok":
            yield event(numbered, "read", call.value[field])


def following(state: object, each: Event) -> list[object]:
    if each.action == "write":
        return [each.value]
    return [state] if state == each.value else []


def counts(history: History) -> Iterator[Event]:
    for numbered in calls_of(history, "log", "read_run"):
        call = numbered[1]
        if call.operation == "log" and happened(call):
            yield event(numbered, "write", call.arguments["points"][0][3])
        elif call.way == "ok":
            found = {int(key.split()[1]): point[0] for key, point in call.value["latest"].items()}
            yield event(numbered, "read", found)


def counts_of(client: int, history: History) -> Iterator[Event]:
    for each in counts(history):
        if each.action == "write" and each.client == client:
            yield Event(each.index, each.called, each.returned, "write", (each.value,))
        elif each.action == "read":
            count = each.value.get(client)
            seen = NOTHING if count is None else (count,)
            yield Event(each.index, each.called, each.returned, "read", seen)


UPDATES = Workload("updates", ("B-RUN-01", "B-SES-01", "B-CON-02", "B-ERR-01"), generate, judge)
