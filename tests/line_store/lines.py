"""What goes over the wire: a checksum, a blank, JSON, and the end of the line."""

import json
from collections.abc import Callable
from typing import Any, get_type_hints
from zlib import crc32

from msgspec import convert, to_builtins

from line_store.files import Files
from trackstore.abilities import SearchesRuns
from trackstore.stores import BackendStore


class Damaged(Exception):
    """A line is not what was sent."""


def to_line(value: Any) -> bytes:
    """Return one line; NaN and the infinities are kept."""
    body = json.dumps(to_builtins(value)).encode()
    return b"%08x %b\n" % (crc32(body), body)


def from_line(line: bytes) -> Any:
    checksum, _, body = line.removesuffix(b"\n").partition(b" ")
    if checksum != b"%08x" % crc32(body) or not line.endswith(b"\n"):
        raise Damaged
    return json.loads(body)


def arguments(method: str, given: list[Any]) -> list[Any]:
    """Return what was sent as the values that a method of a store takes."""
    hints = _hints(method)
    return [convert(value, hint) for value, hint in zip(given, hints[:-1], strict=True)]


def result(method: str, given: Any) -> Any:
    """Return what was sent as the value that a method of a store returns."""
    return convert(given, _hints(method)[-1])


def _hints(method: str) -> list[Any]:
    if method not in METHODS:
        raise Damaged
    call: Callable[..., Any] = getattr(METHODS[method], method)
    return list(get_type_hints(call).values())


METHODS: dict[str, type] = {
    **dict.fromkeys(BackendStore.__abstractmethods__ - {"from_url", "close"}, BackendStore),
    "search_runs": SearchesRuns,
    **dict.fromkeys(["put", "get", "stat", "scan", "delete"], Files),
}
"""What can be called, and where its types are told."""
