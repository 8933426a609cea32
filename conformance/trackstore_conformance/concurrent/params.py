"""Few params, which many write at once, alone and several in one batch."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from random import Random

from trackstore_conformance.checkers.events import Clash, Event
from trackstore_conformance.checkers.write_once import write_once
from trackstore_conformance.concurrent.judging import Finding, calls_of, event, surprises
from trackstore_conformance.concurrent.program import Program, Step
from trackstore_conformance.concurrent.workload import (
    ONE_RUN,
    READ_RUN,
    Workload,
    everyone,
    one_run,
    step,
)
from trackstore_conformance.history import Call, History

RULES = {"refused": "B-BAT-05", "same refused": "B-PAR-04"}
"""Which rule a clash breaks, if not that on races for one param."""


def generate(random: Random, rounds: int) -> Program:
    """Return rounds of races for one param, or for two in either order; all read afterwards."""
    played = []
    for number in range(rounds):
        keys = [f"p{number}"] if random.random() < 0.7 else [f"p{number}", f"q{number}"]
        values = ["same", "other"] if random.random() < 0.2 else []
        played.append(everyone(partial(write_and_read, random, keys, values)))
    return Program("params", ONE_RUN, one_run(), tuple(played), (READ_RUN,))


def write_and_read(random: Random, keys: list[str], values: list[str], client: int) -> list[Step]:
    """Return a write of all keys, among others that only this client writes, and a read."""
    value = random.choice(values) if values else str(client)
    raced = dict.fromkeys(random.sample(keys, len(keys)), value)
    mark = f"{keys[0]} by {client}"
    params = {f"before {mark}": value, **raced, f"{mark} after": value}
    points = [[mark, float(client), 0, 0]]
    return [step("log", run="r", params=params, tags={mark: value}, points=points), READ_RUN]


def judge(history: History) -> Iterator[Finding]:
    yield from surprises(history, {"log": ("Conflict",)}, {"log": "B-PAR-04"})
    for key, events in events_by_param(history).items():
        clash = write_once(events)
        if clash is not None:
            yield Finding(rule_of(clash, history), f"param {key!r}: {clash.why}", clash.calls)
    yield from leftovers(history)
    yield from nobody_won(history)


def rule_of(clash: Clash, history: History) -> str:
    """A value that some reader missed and that is there at the end was read too late."""
    first, *_, last = (history.calls[index] for index in (*clash.calls, clash.calls[-1]))
    late = clash.kind == "lost" and last.client and first.way == "ok"
    return "B-SES-01" if late else RULES.get(clash.kind, "B-PAR-03")


def events_by_param(history: History) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    raced = raced_for(history)
    for numbered in calls_of(history, "log"):
        params = numbered[1].arguments.get("params", {})
        alone = len(raced & params.keys()) == 1
        for key, value in params.items():
            action = action_of(numbered[1], alone=alone and key in raced)
            found[key].append(event(numbered, action, value))
    for numbered in calls_of(history, "read_run"):
        if numbered[1].way == "ok":
            for key in found.keys() | numbered[1].value["params"].keys():
                found[key].append(event(numbered, "read", numbered[1].value["params"].get(key)))
    return found


def raced_for(history: History) -> set[str]:
    """Return the params that were written with more than one value, or by more than one client."""
    writers: dict[str, set[int]] = defaultdict(set)
    for _, call in calls_of(history, "log"):
        for key in call.arguments.get("params", {}):
            writers[key].add(call.client)
    return {key for key, clients in writers.items() if len(clients) > 1}


def action_of(call: Call, *, alone: bool) -> str:
    """Say what a call did to one param; which of several a conflict was about, nobody knows."""
    if call.way in {"ok", "unknown"}:
        return "write"
    return "conflict" if alone and call.way == "Conflict" else "refused"


def leftovers(history: History) -> Iterator[Finding]:
    """Yield the refused batches of which a tag or a point was read."""
    for index, call in calls_of(history, "log"):
        if call.way in {"ok", "unknown"}:
            continue
        for reader, read in calls_of(history, "read_run"):
            if read.way == "ok" and call.arguments.get("tags", {}).keys() & (
                read.value["tags"].keys() | read.value["latest"].keys()
            ):
                why = f"of a batch that was refused, {list(call.arguments['tags'])} was read"
                yield Finding("B-BAT-05", why, (index, reader))
                break


def nobody_won(history: History) -> Iterator[Finding]:
    """Yield the conflicts on several params that no other batch explains."""
    raced = raced_for(history)
    logs = calls_of(history, "log")
    for index, call in logs:
        mine = {k: v for k, v in call.arguments["params"].items() if k in raced}
        others = (each.arguments["params"] for _, each in logs if accepted(each, call))
        if call.way == "Conflict" and not any(
            other.get(key, value) != value for other in others for key, value in mine.items()
        ):
            rule = "B-BAT-05" if len(mine) > 1 else "B-PAR-03"
            yield Finding(rule, f"{list(mine)} was refused, and nobody else wrote it", (index,))


def accepted(other: Call, call: Call) -> bool:
    return other.way in {"ok", "unknown"} and other.called <= call.returned


PARAMS = Workload(
    "params",
    ("B-PAR-03", "B-PAR-04", "B-BAT-05", "B-SES-01", "B-CON-02", "B-ERR-01"),
    generate,
    judge,
)
