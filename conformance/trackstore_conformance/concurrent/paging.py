"""Lists that are walked page by page while rows come and go."""

from collections.abc import Collection, Iterator
from random import Random

from trackstore_conformance.checkers.events import Event
from trackstore_conformance.checkers.pages import pages
from trackstore_conformance.concurrent.judging import (
    Finding,
    calls_of,
    event,
    happened,
    rule_by_kind,
    surprises,
)
from trackstore_conformance.concurrent.program import Kind, Program, Step
from trackstore_conformance.concurrent.workload import Workload, everyone, step
from trackstore_conformance.history import History

HOME = "e0"
RUN = "r0"
KEY = "m"
CHANGES = {
    "create_run": ("appear", "run"),
    "restore_run": ("appear", "run"),
    "delete_run": ("vanish", "run"),
    "purge_run": ("vanish", "run"),
    "create_experiment": ("appear", "experiment"),
    "restore_experiment": ("appear", "experiment"),
    "delete_experiment": ("vanish", "experiment"),
}
GONE = ("NotFound", "InvalidState")
REFUSALS = {operation: GONE for operation in CHANGES if not operation.startswith("create")}
"""What is only refused where a reduced program leaves out what made it possible."""
WALKS = {"walk_runs": "run", "walk_experiments": "experiment", "walk_points": "point"}


def generate(random: Random, rounds: int) -> Program:
    """Return one round: four walk, and four create, delete, restore and purge meanwhile."""
    since = random.randrange(10**9, 10**12)
    symbols: dict[str, Kind] = {}
    before: list[Step] = []
    for number in range(max(6, rounds // 2)):
        before.append(experiment(symbols, f"e{number}", since, random))
        before.append(run(symbols, f"r{number}", random))
    before.append(points(*range(0, 12, 2)))

    def turn(client: int) -> list[Step]:
        if client <= 4:
            return [walk(random.choice(list(WALKS)), since, random) for _ in range(3)]
        fresh = [run(symbols, f"r{client}.{n}", random) for n in range(3)]
        fresh.append(experiment(symbols, f"e{client}.0", since, random))
        return [*fresh, points(1 + 2 * client), *gone(random, client)]

    played = everyone(turn)
    after = tuple(walk(each, since, random) for each in WALKS)
    return Program("paging", symbols, tuple(before), (played,), after)


def walk(operation: str, since: int, random: Random) -> Step:
    limit = random.randint(1, 4)
    if operation == "walk_experiments":
        return step(operation, limit=limit, since=since)
    if operation == "walk_runs":
        return step(operation, experiment=HOME, limit=limit)
    return step(operation, run=RUN, key=KEY, limit=limit)


def points(*places: int) -> Step:
    return step("log", run=RUN, points=[[KEY, 0.0, place, place] for place in places])


def experiment(symbols: dict[str, Kind], ident: str, since: int, random: Random) -> Step:
    symbols |= {ident: "experiment", f"name {ident}": "name"}
    at = since + random.randrange(3)
    return step("create_experiment", experiment=ident, name=f"name {ident}", at=at)


def run(symbols: dict[str, Kind], ident: str, random: Random) -> Step:
    symbols[ident] = "run"
    return step("create_run", run=ident, experiment=HOME, at=random.randrange(3))


def gone(random: Random, client: int) -> list[Step]:
    """Return what makes rows vanish, and some of them come back."""
    victim, own = f"r{client - 3}", f"r{client}.0"
    return random.choice(
        [
            [step("delete_run", run=victim), step("restore_run", run=victim)],
            [step("delete_run", run=victim), step("purge_run", run=victim)],
            [step("delete_run", run=own), step("delete_experiment", experiment=f"e{client - 3}")],
        ]
    )


def judge(history: History) -> Iterator[Finding]:
    yield from surprises(history, REFUSALS, dict.fromkeys(WALKS, "B-PAG-02"))
    for operation, subject in WALKS.items():
        known = list(changes(subject, history))
        rows = {change.value for change in known}
        events = [*known, *walked(operation, rows, history)]
        yield from rule_by_kind(pages(events), {"ghost": "B-SES-01"}, "B-PAG-02", operation)


def changes(subject: str, history: History) -> Iterator[Event]:
    for numbered in calls_of(history, *CHANGES, "log"):
        call = numbered[1]
        if not happened(call):
            continue
        if call.operation == "log" and subject == "point":
            for _, value, at, place in call.arguments["points"]:
                yield event(numbered, "appear", (place, at, value))
        elif call.operation != "log" and CHANGES[call.operation][1] == subject:
            yield event(numbered, CHANGES[call.operation][0], call.arguments[subject])


def walked(operation: str, known: Collection[object], history: History) -> Iterator[Event]:
    """Yield the walks; in the list of experiments are those of other programs too."""
    for numbered in calls_of(history, operation):
        if numbered[1].way == "ok":
            rows = [tuple(row) if isinstance(row, list) else row for row in numbered[1].value]
            if operation == "walk_experiments":
                rows = [row for row in rows if row in known]
            yield event(numbered, "walk", rows)


PAGING = Workload("paging", ("B-PAG-02", "B-SES-01", "B-CON-02", "B-ERR-01"), generate, judge)
