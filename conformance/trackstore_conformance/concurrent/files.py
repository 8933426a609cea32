"""Few files, put whole, replaced, deleted, read and listed by many at once."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from random import Random

from trackstore_conformance.checkers.events import Event
from trackstore_conformance.checkers.linear import Stuck, linearize
from trackstore_conformance.concurrent.file_operations import pieces
from trackstore_conformance.concurrent.judging import (
    Calls,
    Finding,
    calls_of,
    event,
    happened,
    indices,
    no_order,
    shown,
    surprises,
)
from trackstore_conformance.concurrent.program import Kind, Program, Step
from trackstore_conformance.concurrent.workload import Workload, everyone, step
from trackstore_conformance.history import Call, History

PATHS = ("a", "f/b", "f/c")
ROOT: dict[str, Kind] = {"root": "folder"}
LISTING = step("list_files", root="root")
ABSENT = ("NotFound",)
EXPECTED = {"get": ABSENT, "stat": ABSENT}
OTHERS = {"get": "A-GET-02", "stat": "A-GET-02", "delete": "A-DEL-01", "list_files": "A-LST-02"}
"""What another error than the expected ones breaks."""


def generate(random: Random, rounds: int) -> Program:
    """Return rounds in which all put, some delete, and all read; the first path stays."""
    numbers = count(1)

    def turn(client: int) -> list[Step]:
        path = random.choice(PATHS) if random.random() < 0.5 else PATHS[0]
        steps = [put(path, f"{client}-{next(numbers)}")]
        if path != PATHS[0] and random.random() < 0.4:
            steps = [step("delete", root="root", path=random.choice([path, "f"]))]
        return steps + [read(random, path) for _ in range(random.randint(1, 2))]

    before = (put("a", "0-0"),)
    played = tuple(everyone(turn) for _ in range(rounds))
    return Program("files", ROOT, before, played, at_the_end(PATHS))


def put(path: str, payload: str, **options: object) -> Step:
    return step("put", root="root", path=path, payload=payload, **options)


def read(random: Random, path: str) -> Step:
    kind = random.choice(["get", "get", "get", "get", "stat", "list_files"])
    return LISTING if kind == "list_files" else step(kind, root="root", path=path)


def at_the_end(paths: Iterable[str]) -> tuple[Step, ...]:
    return (*(step("get", root="root", path=path) for path in paths), LISTING)


def judge(history: History) -> Iterator[Finding]:
    """Find what was read in part; then look, for each path, for an order that explains all."""
    rules = {"put": "A-DEL-01" if calls_of(history, "delete") else "A-PUT-03"}
    yield from surprises(history, EXPECTED, rules | OTHERS)
    torn = list(parts_read(history))
    yield from torn
    for path in [] if torn else paths_put(history):
        yield from unordered(path, history, lambda stuck, p=path: rule_of_gets(p, stuck, history))  # type: ignore[misc]


def paths_put(history: History) -> list[str]:
    return list(dict.fromkeys(call.arguments["path"] for _, call in calls_of(history, "put")))


def parts_read(history: History) -> Iterator[Finding]:
    """Yield the reads that did not give all of one version."""
    gets = [each for each in calls_of(history, "get") if each[1].way == "ok"]
    reads = [(index, call) for index, call in gets if "cut" not in call.value]
    mixed = {call.value["stays"] for _, call in reads if len(call.value["parts"]) > 2}
    rule = "A-PUT-03" if True in mixed else "A-GET-02" if mixed else "A-PUT-02"
    for index, call in reads:
        size = call.value["bytes"]
        if "not whole" in call.value["parts"]:
            found = ", ".join(call.value["parts"][:-1])
            yield Finding(rule, f"{shown(call)} gave {size} bytes, not whole, of {found}", (index,))
        elif call.value["size"] != size:
            why = f"{shown(call)} told {call.value['size']} bytes, and gave {size}"
            yield Finding("A-GET-02", why, (index,))


def rule_of_gets(path: str, stuck: Stuck, history: History) -> str:
    """Tell what a read of the whole file breaks that no order of the writes explains."""
    if any(covers(call, path) for _, call in calls_of(history, "delete")):
        return "A-DEL-01"
    missed = all(each.action != "read" or each.value[1] is None for each in stuck.left)
    return "A-PUT-02" if missed else "A-PUT-03"


def unordered(path: str, history: History, rule: Callable[[Stuck], str]) -> Iterator[Finding]:
    """Yield what no order explains: with files as they were read, then with listings too."""
    for kinds in (("get", "stat"), ("get", "stat", "list_files")):
        calls = [e for e in enumerate(history.calls) if e[1].operation in {"put", "delete", *kinds}]
        stuck = linearize(list(events_on(path, calls)), None, following)
        if stuck:
            broken = rule(stuck)
            if "list_files" in kinds and broken != "A-PUT-02":
                broken = "A-LST-02"
            yield Finding(broken, no_order(repr(path), stuck, history), indices(stuck))
            return


def covers(call: Call, path: str) -> bool:
    return f"{path}/".startswith(f"{call.arguments['path']}/")


def events_on(path: str, calls: Calls) -> Iterator[Event]:
    """Yield what was done to one path; the value of an event is the call, and a size."""
    for numbered in calls:
        call = numbered[1]
        if call.operation == "delete":
            if covers(call, path) and happened(call):
                yield event(numbered, "delete", (call, None))
        elif call.operation == "put":
            if call.arguments["path"] == path and put_to(call):
                size = sum(map(len, pieces(call.arguments["payload"])))
                yield event(numbered, "put", (call, size))
        elif tells_size(path, call):
            yield event(numbered, "read", (call, size_told(path, call)))


def put_to(call: Call) -> bool:
    return happened(call) or call.way == "AlreadyExists path"


def tells_size(path: str, call: Call) -> bool:
    """Tell if the call says how long the file is, or that there is none."""
    if call.operation == "list_files":
        return call.way == "ok"
    if call.arguments["path"] != path:
        return False
    cut = call.operation == "get" and call.way == "ok" and "cut" in call.value
    return call.way in {"ok", *ABSENT} and not cut


def size_told(path: str, call: Call) -> int | None:
    if call.way != "ok":
        return None
    of_get = {"get": "bytes", "list_files": path}
    known = call.value.get(of_get[call.operation]) if call.operation in of_get else call.value
    size: int | None = known
    return size


def following(state: int | None, each: Event) -> list[int | None]:
    """A file is known by its size: no two payloads are equally long."""
    call, size = each.value
    if each.action == "delete":
        return [None]
    if each.action == "read":
        return [state] if state == size else []
    if call.arguments.get("absent") and state is not None:
        return [] if call.way == "ok" else [state]
    return [size] if call.way in {"ok", "unknown"} else []


FILES = Workload(
    "files",
    ("A-PUT-02", "A-PUT-03", "A-GET-02", "A-DEL-01", "A-LST-02", "A-ERR-01"),
    generate,
    judge,
)


def generate_create_only(random: Random, rounds: int) -> Program:
    """Return rounds in which all put one path, each if it is absent, and half of them read it."""
    paths = [f"f{number}/a" for number in range(rounds)]
    played = tuple(everyone(partial(create, random, path)) for path in paths)
    return Program("create_only", ROOT, (), played, at_the_end(paths)[:-1])


def create(random: Random, path: str, client: int) -> list[Step]:
    reads = [step(random.choice(["get", "stat"]), root="root", path=path)] * (client % 2)
    return [put(path, f"{client}-{client}", absent=True), *reads]


def judge_create_only(history: History) -> Iterator[Finding]:
    expected = EXPECTED | {"put": ("AlreadyExists path",)}
    yield from surprises(history, expected, {"put": "A-PUT-04"} | OTHERS)
    yield from parts_read(history)
    for path in paths_put(history):
        tries = [each for each in calls_of(history, "put") if each[1].arguments["path"] == path]
        winners = [index for index, call in tries if call.way == "ok"]
        if len(winners) > 1:
            yield Finding("A-PUT-04", f"{path!r}: {len(winners)} created it", tuple(winners))
        else:
            yield from unordered(path, history, lambda _stuck: "A-PUT-04")


CREATE_ONLY = Workload(
    "create_only",
    ("A-PUT-04", "A-PUT-02", "A-PUT-03", "A-GET-02", "A-ERR-01"),
    generate_create_only,
    judge_create_only,
)
