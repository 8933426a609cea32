"""Artifact stores for the fault engine: every call, and what there is before each of them."""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, ClassVar
from uuid import uuid4

from msgspec import Struct

from trackstore_conformance.artifact.model import FileModel
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.claims import replaces
from trackstore_conformance.crash.artifacts import digest
from trackstore_conformance.faults.kinds import Kind, Operation, Read, Rules, State, Step
from trackstore_conformance.outcomes import Outcome, outcome

ROWS = 1_000
PIECE = 2**16
SHORT, LONG, LARGE = 9, 300_000, 9_000_000
"""Bytes of files: the second is of many packets, the last one of many parts."""


@cache
def chunks(what: str, size: int) -> list[bytes]:
    whole = Random(what).randbytes(size)
    return [whole[at : at + PIECE] for at in range(0, size, PIECE)]


class FileCase(Struct, frozen=True):
    """A folder with a file, and a name that is free."""

    home: str

    @property
    def setup(self) -> list[Step]:
        return [("put", (self.path("old"), chunks("old", LONG)))]

    def path(self, name: str) -> str:
        return f"{self.home}/{name}"

    def look(self, read: Read) -> State:
        """Return of each file the bytes and the size in the listing, and what else is listed.

        What is not listed must not be there, which is looked at where a play may put it.
        """
        listing = read(("scan", (self.home, None, True)))
        listed = {info.path: info for info in listing.raw.items} if listing.raw else {}
        state: State = [("the listing", listing.ways)]
        for name in ("old", "new", *IN_FOLDER):
            info = listed.pop(self.path(name), None)
            found = read(("read", (self.path(name),))) if info or name not in IN_FOLDER else None
            state.append((name, found and [found.ways, found.value, info and info.size]))
        return [*state, ("what else is listed", sorted(listed))]


IN_FOLDER = ("f/a", "f/g/b")


def _folder(case: FileCase) -> list[Step]:
    return [("put", (case.path(name), chunks("short", SHORT))) for name in IN_FOLDER]


def _put(name: str, size: int) -> Callable[[FileCase], Step]:
    return lambda case: ("put", (case.path(name), chunks("new", size)))


def _create(case: FileCase) -> Step:
    return "create", (case.path("new"), chunks("new", LONG))


def _at(call: str, name: str, *more: Any) -> Callable[[FileCase], Step]:
    return lambda case: (call, (case.path(name), *more))


WHOLE, RIGHT = "A-PUT-06", "A-RTY-01"
OPERATIONS = (
    Operation("put of a new file", "natural", WHOLE, _put("new", SHORT)),
    Operation("delete of a file", "natural", RIGHT, _at("delete", "old")),
    Operation("delete of a folder", "natural", RIGHT, _at("delete", "f"), _folder, divides=True),
    Operation("get", "natural", RIGHT, _at("read", "old")),
    Operation("get of a range", "natural", RIGHT, _at("read", "old", 50_000, 200_000)),
    Operation("stat", "natural", RIGHT, _at("stat", "old")),
    Operation("stat of a folder", "natural", RIGHT, _at("stat", "f"), _folder),
    Operation("scan", "natural", RIGHT, lambda case: ("scan", (case.home, None, True)), _folder),
)
CREATING = Operation("put if absent", "none", WHOLE, _create)
REPLACING, NEW = (
    (
        Operation("put in the place of another", "natural", WHOLE, _put("old", LONG)),
        Operation(
            "put of many parts in the place of another",
            "natural",
            WHOLE,
            _put("old", LARGE),
            is_large=True,
        ),
    ),
    (
        Operation("put of a larger file", "natural", WHOLE, _put("new", LONG)),
        Operation("put of many parts", "natural", WHOLE, _put("new", LARGE), is_large=True),
    ),
)
"""What larger files are put by: the second where nothing can be replaced."""


class Files(FileModel):
    def get(self, path: str, start: int = 0, length: int | None = None) -> list[bytes]:
        return [self.read(path, start, length)]


class FileKind(Kind[ArtifactBench, Files]):
    """In its steps, "create" is `put` with `if_absent`, and "read" is `get` with all chunks."""

    rules: ClassVar = Rules(
        error="A-ERR-01", outcome=RIGHT, end=RIGHT, reply=RIGHT, damage="A-RTY-02"
    )

    def operations(self, bench: ArtifactBench) -> Sequence[Operation]:
        creates = bench.store.guarantees.create_only != "none"
        puts = REPLACING if replaces(bench.store) else NEW
        claimed = [*OPERATIONS, *puts, *([CREATING] if creates else ())]
        return [each for each in claimed if bench.harness.takes_parts or not each.is_large]

    def new_case(self, bench: ArtifactBench) -> FileCase:  # noqa: ARG002 - no two are alike
        return FileCase(f"case-{uuid4().hex[:12]}")

    def beacon(self, bench: ArtifactBench) -> Step:
        bench.store.put("beacon", chunks("short", SHORT))
        return "read", ("beacon",)

    def model(self, bench: ArtifactBench) -> Files:
        return Files(bench.store.guarantees)

    def on_store(self, store: Any, step: Step) -> Any:
        name, args = step
        if name == "read":
            return told(store.get(*args))
        if name in {"put", "create"}:
            return store.put(args[0], iter(args[1]), if_absent=name == "create")
        if name == "scan":
            prefix, after, deep = args
            return store.scan(prefix, after, ROWS, deep=deep)
        return getattr(store, name)(*args)

    def on_model(self, model: Files, step: Step) -> Outcome:
        return outcome(self.on_store, model, step)


def told(chunks: Any) -> str:
    """Return what names the bytes: they are too many to be shown."""
    return "{:,} bytes, {}".format(*digest(chunks))


FILES = FileKind()
