"""Points of few keys, logged by many at once; their history and the latest are read meanwhile."""

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from trackstore_conformance.checkers.events import Clash, Event
from trackstore_conformance.checkers.growing import growing
from trackstore_conformance.checkers.latest import NOTHING, latest
from trackstore_conformance.concurrent.judging import (
    Finding,
    calls_of,
    event,
    happened,
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

KEYS = ("m", "n")


def generate(random: Random, rounds: int) -> Program:
    """Return rounds in which all log points, some of them the same ones, and read."""
    played = [everyone(partial(turn, random, number)) for number in range(rounds)]
    after = (READ_RUN, *(read_points(key) for key in KEYS))
    return Program("points", ONE_RUN, one_run(), tuple(played), after)


def turn(random: Random, number: int, client: int) -> list[Step]:
    steps = []
    for _ in range(2):
        key = KEYS[random.random() < 0.3]
        place = random.randrange(3), 10 * number + random.randrange(3)
        points = [[key, float(client), place[1], place[0]]]
        if random.random() < 0.3:
            points.append([key, 0.5, number, 1])
        steps.append(step("log", run="r", points=points))
    reads = [read_points(random.choice(KEYS)), READ_RUN]
    return [*steps, random.choice(reads), *random.choice([[], reads])]


def read_points(key: str) -> Step:
    return step("read_points", run="r", key=key)


def judge(history: History) -> Iterator[Finding]:
    yield from surprises(history, {}, {"log": "B-CON-02"})
    for key in KEYS:
        adds = list(added(key, history))
        histories = growing([*adds, *history_reads(key, history)])
        yield from settled(key, [(rule_of_history(each, history), each) for each in histories])
        points = latest([*adds, *latest_reads(key, history)])
        yield from settled(key, [(rule_of_latest(each, history), each) for each in points])


def settled(key: str, clashes: Sequence[tuple[str, Clash]]) -> Iterator[Finding]:
    """Yield the findings; what is wrong in the end too was not just read too late."""
    lasting = {rule for rule, _ in clashes} & {"B-MET-02", "B-MET-03"}
    for rule, clash in clashes:
        if rule != "B-SES-01" or not lasting:
            yield Finding(rule, f"key {key!r}: {clash.why}", clash.calls)


def added(key: str, history: History) -> Iterator[Event]:
    for numbered in calls_of(history, "log"):
        if happened(numbered[1]):
            for each, value, time, place in numbered[1].arguments.get("points", ()):
                if each == key:
                    yield event(numbered, "write", (place, time, value))


def history_reads(key: str, history: History) -> Iterator[Event]:
    for numbered in calls_of(history, "read_points"):
        if numbered[1].way == "ok" and numbered[1].arguments["key"] == key:
            yield event(numbered, "read", [tuple(point) for point in numbered[1].value])


def latest_reads(key: str, history: History) -> Iterator[Event]:
    for numbered in calls_of(history, "read_run"):
        if numbered[1].way == "ok":
            point = numbered[1].value["latest"].get(key)
            yield event(numbered, "read", NOTHING if point is None else tuple(point))


def in_the_end(clash: Clash, history: History) -> bool:
    """Tell if it was seen after all had ended: then it stays so."""
    return any(history.calls[index].client == 0 for index in clash.calls)


def rule_of_history(clash: Clash, history: History) -> str:
    stale = clash.kind in {"lost", "incomparable"} and not in_the_end(clash, history)
    return "B-SES-01" if stale else "B-MET-02"


def rule_of_latest(clash: Clash, history: History) -> str:
    if clash.kind == "invented":
        return "B-MET-02"
    if clash.kind == "back":
        return "B-MET-07"
    return "B-MET-03" if in_the_end(clash, history) else "B-SES-01"


POINTS = Workload(
    "points",
    ("B-MET-02", "B-MET-03", "B-MET-07", "B-SES-01", "B-CON-02", "B-ERR-01"),
    generate,
    judge,
)
