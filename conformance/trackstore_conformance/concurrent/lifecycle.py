"""Runs that are written to while they, or their experiment, are deleted and restored."""

from collections.abc import Callable, Iterator
from random import Random

from trackstore_conformance.checkers.events import Event, of
from trackstore_conformance.checkers.linear import linearize
from trackstore_conformance.concurrent.judging import (
    Finding,
    calls_of,
    event,
    indices,
    no_order,
    shown,
    surprises,
)
from trackstore_conformance.concurrent.program import Kind, Program, Step
from trackstore_conformance.concurrent.workload import Workload, everyone, step
from trackstore_conformance.history import Call, History

State = tuple[bool, bool, frozenset[str]]
"""If the run is alive by itself, if its experiment is, and whose writes are there."""
STAGES = {
    "delete_run": (False, None),
    "restore_run": (True, None),
    "delete_experiment": (None, False),
    "restore_experiment": (None, True),
}
"""What becomes of the run's own stage, and of the experiment's."""


CYCLES = 3


def generate(random: Random, rounds: int) -> Program:
    """Return a round for each of some runs: it is deleted, or its experiment is."""
    symbols: dict[str, Kind] = {}
    before: list[Step] = []
    played = []
    for number in range(max(2, 2 * rounds // 3)):
        run, home = f"r{number}", f"e{number}"
        symbols |= {run: "run", home: "experiment", f"home {number}": "name"}
        before.append(step("create_experiment", experiment=home, name=f"home {number}"))
        before.append(step("create_run", run=run, experiment=home))
        gone = ("run", run) if number % 2 else ("experiment", home)
        played.append(everyone(turns(random, run, gone)))
    after = [step("read_run", run=run) for run, kind in symbols.items() if kind == "run"]
    return Program("lifecycle", symbols, tuple(before), tuple(played), tuple(after))


def turns(random: Random, run: str, gone: tuple[str, str]) -> Callable[[int], list[Step]]:
    """Let one client delete and restore again and again, one read, and the others write."""
    kind, ident = gone
    read = step("read_run", run=run)
    delete, restore = (step(f"{verb}_{kind}", **{kind: ident}) for verb in ("delete", "restore"))
    stays = random.random() < 0.5

    def turn(client: int) -> list[Step]:
        if client == 1:
            stages = [delete, read, read, restore] * CYCLES
            return stages[:-1] if stays else stages
        if client == 2:
            return [read] * 2 * CYCLES
        marks = [f"{place} by {client}" for place in range(CYCLES)]
        writes = [step("log", run=run, params={m: "1"}, tags={m: "1"}) for m in marks]
        return writes + [read] * random.randint(0, 1)

    return turn


def judge(history: History) -> Iterator[Finding]:
    """Find refused writes that left something; then look for an order that explains all."""
    yield from surprises(history, {"log": ("InvalidState",)}, {"log": "B-RUN-02"})
    for run in dict.fromkeys(call.arguments["run"] for _, call in calls_of(history, "create_run")):
        left = list(leftovers(run, history))
        yield from left or unordered(run, history)


def events_of(run: str, history: History) -> Iterator[Event]:
    homes = {
        c.arguments["experiment"]
        for _, c in calls_of(history, "create_run")
        if c.arguments["run"] == run
    }
    for numbered in calls_of(history, "log", "read_run", *STAGES):
        call = numbered[1]
        mine = call.arguments.get("run") == run or call.arguments.get("experiment") in homes
        if mine and call.way in {"ok", "unknown", "InvalidState"}:
            yield event(numbered, call.operation, call)


def marks(call: Call) -> frozenset[str]:
    return frozenset(call.arguments["params"])


def seen(call: Call) -> frozenset[str]:
    return frozenset(call.value["params"])


def leftovers(run: str, history: History) -> Iterator[Finding]:
    events = list(events_of(run, history))
    reads = [each for each in of(events, "read_run") if each.value.way == "ok"]
    for write in of(events, "log"):
        mine = marks(write.value) if write.value.way == "InvalidState" else frozenset[str]()
        for read in reads:
            if mine & (seen(read.value) | read.value.value["tags"].keys()):
                why = f"{shown(write.value)} was refused, and is there"
                yield Finding("B-RUN-02", why, (write.index, read.index))
                break


def unordered(run: str, history: History) -> Iterator[Finding]:
    events = list(events_of(run, history))
    stuck = linearize(events, (True, True, frozenset[str]()), following)
    if stuck:
        changed = {each.action for each in events} & STAGES.keys()
        rule = "B-RUN-03" if {"delete_experiment", "restore_experiment"} & changed else "B-RUN-02"
        yield Finding(rule, no_order(run, stuck, history), indices(stuck))


def following(state: State, each: Event) -> list[State]:
    mine, home, there = state
    call = each.value
    if each.action in STAGES:
        own, homes = STAGES[each.action]
        return [(mine if own is None else own, home if homes is None else homes, there)]
    if each.action == "read_run":
        shown_now = call.value["stage"] == "active", seen(call)
        return [state] if shown_now == (mine and home, there) else []
    if mine and home:
        return [] if call.way == "InvalidState" else [(mine, home, there | marks(call))]
    return [] if call.way == "ok" else [state]


LIFECYCLE = Workload("lifecycle", ("B-RUN-02", "B-RUN-03", "B-CON-02", "B-ERR-01"), generate, judge)
