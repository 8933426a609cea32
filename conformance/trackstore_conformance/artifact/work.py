"""What the workers of a race, and writers that are killed, do to an artifact store."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from random import Random

from trackstore.errors import NotFound
from trackstore.stores import ArtifactStore
from trackstore_conformance.harness import Opener
from trackstore_conformance.outcomes import outcome

DIGEST = 32
PIECE = 8_192


def payload(worker: int, number: int) -> list[bytes]:
    """Return chunks that begin with the digest of all that follows; no two are equally long."""
    body = Random(f"{worker}-{number}").randbytes(20_000 + 3_000 * worker + 100 * number)
    whole = sha256(body).digest() + body
    return [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]


def is_whole(found: bytes) -> bool:
    return sha256(found[DIGEST:]).digest() == found[:DIGEST]


def put_and_get(store: ArtifactStore, index: int, path: str, rounds: int) -> list[str]:
    """Half of the workers replace the file; return what was wrong with what was read."""
    wrong = []
    for number in range(rounds):
        if index % 2:
            store.put(path, payload(index, number))
            if path not in [info.path for info in store.scan("", None, 10, deep=True).items]:
                wrong.append("not listed after it was put")
        found = b"".join(store.get(path))
        if not is_whole(found):
            wrong.append(f"read a part: {len(found)} bytes")
        if store.stat(path).size not in sizes(rounds):
            wrong.append("a size that no version had")
    return wrong


def sizes(rounds: int) -> set[int]:
    return {sum(map(len, payload(w, n))) for w in range(8) for n in range(rounds)}


def put_if_absent(store: ArtifactStore, index: int, paths: list[str]) -> dict[str, str]:
    return {
        path: outcome(store.put, path, payload(index, 0), if_absent=True).ways[0] for path in paths
    }


def put_or_delete(store: ArtifactStore, index: int, rounds: int) -> list[str]:
    """Put a file in a folder, or delete the file or the folder; return what was wrong."""
    wrong = []
    for number in range(rounds):
        if index % 2:
            store.put("folder/a", payload(index, number))
        else:
            store.delete("folder/a" if number % 2 else "folder")
        try:
            found = b"".join(store.get("folder/a"))
        except NotFound:
            continue
        if not is_whole(found):
            wrong.append(f"read a part: {len(found)} bytes")
    return wrong


def put_without_end(
    tell: Callable[[int], None], opener: Opener[ArtifactStore], url: str, path: str
) -> None:
    """Put a file that never ends, and tell of each chunk that was asked for, until killed."""

    def chunks() -> Iterator[bytes]:
        for number in count():
            yield bytes(65_536)
            tell(number)

    opener(url).put(path, chunks())


def put_and_tell(
    tell: Callable[[int], None], opener: Opener[ArtifactStore], url: str, path: str
) -> None:
    """Put one file after another, and replace one again and again, until killed."""
    store = opener(url)
    for number in count():
        store.put(f"{path}/{number:06}", payload(0, number % 10))
        store.put(f"{path}/last", payload(1, number % 10))
        tell(number)
