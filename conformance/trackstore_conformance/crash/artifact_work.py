"""The work of artifact stores that is cut: each returns what is prepared, and the steps."""

from collections.abc import Sequence
from random import Random

from trackstore_conformance.crash.kinds import Step, Workload

Work = tuple[Sequence[Step], Sequence[Step]]
PIECE = 16_384


def put(random: Random, path: str, size: int, **options: bool) -> Step:
    whole = random.randbytes(size)
    chunks = [whole[at : at + PIECE] for at in range(0, size, PIECE)]
    return Step("put", (path, chunks), options)


def delete(path: str) -> Step:
    return Step("delete", (path,))


def puts(random: Random, _lead: str) -> Work:
    steps = [
        put(random, "new", 10),
        put(random, "old", 40_000),
        put(random, "folder/deep/large", 200_000),
        put(random, "folder/empty", 0),
        put(random, "folder/once", 3_000, if_absent=True),
        put(random, "old", 20, if_absent=True),
        put(random, "folder/old", 100_000),
    ]
    old = ("old", "folder/old", "folder/deep/large", "folder/empty")
    return [put(random, path, 5_000) for path in old], steps


def deletions(random: Random, _lead: str) -> Work:
    prepared = [put(random, path, 3_000) for path in ("a", "b", "f/a", "f/b", "f/g/c", "h/a")]
    steps = [
        *(delete("a"), delete("f/b"), delete("missing"), delete("f")),
        *(put(random, "f/a", 2_000), delete("f/a"), put(random, "f", 1_000), delete("h/a")),
    ]
    return prepared, steps


def first_start(random: Random, _lead: str) -> Work:
    return [], [put(random, "folder/first", 20_000), put(random, "second", 100)]


def large(random: Random, _lead: str) -> Work:
    return [put(random, "old", 100)], [
        put(random, "old", 2_000_000),
        put(random, "f/new", 2_000_000),
    ]


PUTS = Workload("puts", puts)
DELETIONS = Workload("deletions", deletions)
FIRST_START = Workload("first start", first_start)
LARGE = Workload("large files", large)
ALL = (PUTS, DELETIONS, FIRST_START)
