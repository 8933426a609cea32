"""Few names, which many create, rename and restore into, and let go."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from trackstore_conformance.checkers.events import Event, of
from trackstore_conformance.checkers.holders import holders
from trackstore_conformance.checkers.linear import linearize
from trackstore_conformance.concurrent.judging import (
    Finding,
    calls_of,
    event,
    happened,
    indices,
    no_order,
    surprises,
)
from trackstore_conformance.concurrent.program import Kind, Program, Step
from trackstore_conformance.concurrent.workload import CLIENTS, Workload, everyone, step
from trackstore_conformance.history import Call, History

CREATE, RENAME, RESTORE = "create_experiment", "rename_experiment", "restore_experiment"
DELETE, FIND = "delete_experiment", "find_experiment"
RULES = {CREATE: "B-EXP-02", RENAME: "B-EXP-07", RESTORE: "B-EXP-06", DELETE: "B-EXP-06"}
SEEN = "B-SES-01"
"""What a read breaks that shows what was, though all writes fit together."""
TAKEN = "AlreadyExists name"
REFUSALS = {
    CREATE: (TAKEN,),
    RENAME: (TAKEN, "InvalidState"),
    RESTORE: (TAKEN,),
    FIND: ("NotFound",),
}
MIXES = ((CREATE,), (RENAME,), (RESTORE,), (RENAME, CREATE), (RESTORE, CREATE))
"""What the rounds are of, in turn: each kind alone, which tells the guilty one, and two kinds."""


def generate(random: Random, rounds: int) -> Program:
    """Return rounds of claims on a name each, some of which are given up again."""
    symbols: dict[str, Kind] = {}
    before: list[Step] = []
    played = []
    first = random.randrange(len(MIXES))
    for number in range(rounds):
        name, mix = f"name {number}", MIXES[(number + first) % len(MIXES)]
        symbols[name] = "name"
        for made in pool(number) if mix != (CREATE,) else ():
            symbols |= {made: "experiment", f"spare {made}": "name"}
            before += prepared(made, name, deleted=RESTORE in mix)
        symbols |= {own(number, n): "experiment" for n in range(1, CLIENTS + 1) if CREATE in mix}
        played.append(everyone(turns(random, number, name, mix)))
    after = [step(FIND, name=name) for name in symbols if name.startswith("name")]
    return Program("names", symbols, tuple(before), tuple(played), tuple(after))


def pool(number: int) -> list[str]:
    """Return the experiments that are there when a round begins."""
    return [f"e{number}{letter}" for letter in "abc"]


def own(number: int, client: int) -> str:
    return f"e{number}.{client}"


def prepared(made: str, name: str, *, deleted: bool) -> list[Step]:
    if not deleted:
        return [step(CREATE, experiment=made, name=f"spare {made}")]
    return [step(CREATE, experiment=made, name=name), step(DELETE, experiment=made)]


def turns(
    random: Random, number: int, name: str, mix: Sequence[str]
) -> Callable[[int], list[Step]]:
    def turn(client: int) -> list[Step]:
        claim = random.choice(mix)
        mine = own(number, client) if claim == CREATE else random.choice(pool(number))
        named = {} if claim == RESTORE else {"name": name}
        then = random.choice(
            [[], [], [step(FIND, name=name)], [step(DELETE, experiment=mine)]]
            if claim != CREATE or random.random() < 0.3
            else [[], [step(FIND, name=name)]]
        )
        return [step(claim, experiment=mine, **named), *then]

    return turn


def judge(history: History) -> Iterator[Finding]:
    """Find names with two holders; then look for an order in which all ended as it did."""
    found = [*surprises(history, REFUSALS | {DELETE: ("NotFound",)}, RULES), *shared(history)]
    yield from found or unordered(history)


def shared(history: History) -> Iterator[Finding]:
    """Yield the pairs that had a name at once, blamed on who came later if that is known."""
    pairs = []
    for name in dict.fromkeys(c.arguments["name"] for _, c in calls_of(history, CREATE, RENAME)):
        for clash in holders(list(claims_on(name, history))):
            first, second = (history.calls[index] for index in clash.calls)
            pairs.append((guilty(first, second), f"{name!r}: {clash.why}", clash.calls))
    alone = {kinds[0] for kinds, _, _ in pairs if len(kinds) == 1}
    for kinds, why, calls in pairs:
        kind = next((k for k in kinds if k in alone), kinds[0])
        yield Finding(RULES[kind], why, calls)


def guilty(first: Call, second: Call) -> list[str]:
    """Return the operations of which one must have been refused, the likeliest one first."""
    if first.returned < second.called:
        return [second.operation]
    if second.returned < first.called:
        return [first.operation]
    return sorted({first.operation, second.operation}, reverse=True)


def claims_on(name: str, history: History) -> Iterator[Event]:
    """Yield who took the name for certain, and who may have let it go."""
    for numbered in calls_of(history, CREATE, RENAME, RESTORE, DELETE):
        call = numbered[1]
        mine = call.arguments["experiment"]
        named = call.arguments.get("name") or only_name(mine, history)
        if not happened(call):
            continue
        if call.operation == DELETE or (call.operation == RENAME and named != name):
            yield event(numbered, "release", mine)
        elif named == name:
            yield event(numbered, "claim", mine)


def only_name(experiment: str, history: History) -> str | None:
    """Return the name of an experiment if it never had another."""
    names = [
        call.arguments["name"]
        for _, call in calls_of(history, CREATE, RENAME)
        if call.arguments["experiment"] == experiment and happened(call)
    ]
    return names[0] if len(names) == 1 else None


Experiments = Mapping[str, tuple[str, bool]]
"""The name of each experiment, and if it is alive."""
Known = frozenset[tuple[str, str, bool]]
"""The id and name of each experiment, and if it is alive."""
NOBODY: Known = frozenset()


def unordered(history: History) -> Iterator[Finding]:
    for part in parts(history):
        writes = of(part, "write")
        stuck = linearize(writes, NOBODY, following)
        rule = RULES[stuck.left[0].value.operation] if stuck else SEEN
        stuck = stuck or linearize(part, NOBODY, following)
        if stuck:
            yield Finding(rule, no_order("names", stuck, history), indices(stuck))


def parts(history: History) -> list[list[Event]]:
    """Return the calls that have to do with each other, by name or by experiment."""
    groups: dict[str, set[str]] = {}
    for call in history.calls:
        joined = set(subjects(call))
        joined = joined.union(*(groups.get(each, set()) for each in joined))
        groups |= dict.fromkeys(joined, joined)
    found: dict[int, list[Event]] = {}
    for numbered in enumerate(history.calls):
        action = "read" if numbered[1].operation == FIND else "write"
        group = groups[subjects(numbered[1])[0]]
        found.setdefault(id(group), []).append(event(numbered, action, numbered[1]))
    return list(found.values())


def subjects(call: Call) -> list[str]:
    named = [call.arguments[key] for key in ("experiment", "name") if key in call.arguments]
    return [*named, call.value] if call.operation == FIND and call.way == "ok" else named


def following(state: Known, each: Event) -> list[Known]:
    call = each.value
    if call.operation == FIND:
        living = [e for e, name, alive in state if alive and name == call.arguments["name"]]
        came = ("ok", living[0]) if living else ("NotFound", None)
        return [state] if came == (call.way, call.value if living else None) else []
    ways, changed = meaning({e: (name, alive) for e, name, alive in state}, call)
    if call.way not in {*ways, "unknown"}:
        return []
    return [frozenset((e, *rest) for e, rest in changed.items())]


def meaning(known: Experiments, call: Call) -> tuple[tuple[str, ...], Experiments]:
    """Return the ways in which the call may end, and what is known after it.

    Where two reasons forbid it, the contract does not say which of them is told.
    """
    mine, name = call.arguments["experiment"], call.arguments.get("name")
    if call.operation == CREATE:
        if mine in known:
            return ("ok" if known[mine][0] == name else "AlreadyExists id",), known
        return claim(known, mine, str(name))
    if mine not in known:
        return ("NotFound",), known
    old, alive = known[mine]
    if call.operation == DELETE:
        return ("ok",), {**known, mine: (old, False)}
    if call.operation == RENAME and not alive:
        return ("InvalidState", *((TAKEN,) if is_taken(known, mine, str(name)) else ())), known
    return claim(known, mine, old if name is None else name)


def claim(known: Experiments, mine: str, name: str) -> tuple[tuple[str, ...], Experiments]:
    if is_taken(known, mine, name):
        return (TAKEN,), known
    return ("ok",), {**known, mine: (name, True)}


def is_taken(known: Experiments, mine: str, name: str) -> bool:
    return any(held == (name, True) for other, held in known.items() if other != mine)


NAMES = Workload(
    "names",
    ("B-EXP-02", "B-EXP-06", "B-EXP-07", "B-SES-01", "B-ERR-01"),
    generate,
    judge,
)


def generate_get_or_create(random: Random, rounds: int) -> Program:
    """Return rounds in which all get or create an experiment, most of them the same one."""
    symbols: dict[str, Kind] = {}
    played = []
    for number in range(rounds):
        names = [f"name {number}"] * 3 + [f"other {number}"]
        for client in range(1, CLIENTS + 1):
            symbols[own(number, client)] = "experiment"
        for name in names:
            symbols[name] = "name"
        played.append(everyone(get_or_create(random, number, names)))
    return Program("get_or_create", symbols, (), tuple(played))


def get_or_create(random: Random, number: int, names: Sequence[str]) -> Callable[[int], list[Step]]:
    def turn(client: int) -> list[Step]:
        mine = own(number, client)
        return [step("get_or_create", experiment=mine, name=random.choice(names))]

    return turn


def judge_get_or_create(history: History) -> Iterator[Finding]:
    rules = {"get_or_create": "B-EXP-04"}
    yield from surprises(history, {}, rules)
    given: dict[str, dict[str, int]] = {}
    for index, call in calls_of(history, "get_or_create"):
        if call.way == "ok":
            given.setdefault(call.arguments["name"], {}).setdefault(call.value, index)
    for name, ids in given.items():
        if len(ids) > 1:
            why = f"{name!r}: {len(ids)} experiments were given: {', '.join(ids)}"
            yield Finding("B-EXP-04", why, tuple(ids.values()))


GET_OR_CREATE = Workload(
    "get_or_create", ("B-EXP-04", "B-ERR-01"), generate_get_or_create, judge_get_or_create
)
