"""What a step of a program does to an artifact store; see `operations`."""

import re
from typing import Any

from trackstore.errors import TrackstoreError
from trackstore.stores import ArtifactStore

PIECE = 4_096
"""Bytes; a payload is a few pieces that differ, and an end that is shorter than one."""


def put(store: ArtifactStore, root: str, path: str, payload: str, *, absent: bool = False) -> None:
    store.put(f"{root}/{path}", pieces(payload), if_absent=absent)


def get(store: ArtifactStore, root: str, path: str) -> dict[str, Any]:
    reader = store.get(f"{root}/{path}")
    try:
        found = b"".join(reader)
        whole = len(parts(found)) == 1
        stays = whole or beginnings(found) > 1 or b"".join(store.get(f"{root}/{path}")) == found
    except TrackstoreError as error:
        return {"cut": type(error).__name__}
    return {"parts": parts(found), "bytes": len(found), "size": reader.size, "stays": stays}


def stat(store: ArtifactStore, root: str, path: str) -> int | None:
    return store.stat(f"{root}/{path}").size


def list_files(store: ArtifactStore, root: str) -> dict[str, int | None]:
    found = store.scan(root, None, 1_000, deep=True).items
    return {info.path.removeprefix(f"{root}/"): info.size for info in found}


def delete(store: ArtifactStore, root: str, path: str) -> None:
    store.delete(f"{root}/{path}")


def pieces(payload: str) -> list[bytes]:
    """Return the chunks of a payload "client-number"; its size tells the number."""
    client, number = map(int, payload.split("-"))
    lines = [f"{payload} {n:06}\n".encode() for n in range(1 + (3 * client + number) % 5)]
    whole = [(line * (PIECE // len(line) + 1))[:PIECE] for line in lines]
    return [*whole, f"{payload} end {'.' * number}\n".encode()]


def parts(found: bytes) -> list[str]:
    """Return whose bytes were found, and that they are not all of one payload if so."""
    starts = [found[at : at + PIECE].split(b" ")[0][:20] for at in range(0, len(found), PIECE)]
    names = [each.decode("ascii", "replace") for each in dict.fromkeys(starts)]
    known = len(names) == 1 and re.fullmatch(r"\d+-\d+", names[0])
    whole = known and b"".join(pieces(names[0])) == found
    return names if whole else [*names, "not whole"]


def beginnings(found: bytes) -> int:
    """Return of how many payloads the first piece was found: a file has it in one place."""
    return len(set(re.findall(rb"\d+-\d+ 000000\n", found)))


OPERATIONS = (put, get, stat, list_files, delete)
