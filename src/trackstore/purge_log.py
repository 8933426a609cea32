"""The log of what was purged: appended to, one line of JSON for each thing, and never rewritten.

A line that says what is about to be purged is on the disk before anything is removed, so that who
comes after a kill finds what was begun.  Needs a POSIX system.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from trackstore.errors import InvalidRequest, InvalidState

Kind = Literal["run", "experiment", "model", "orphan run", "orphan experiment"]
What = Literal["begun", "purged", "kept", "failed", "swept"]


class Item(msgspec.Struct, frozen=True):
    """What is purged as one: its rows, and the folders that its files are in."""

    kind: Kind
    id: str
    folders: tuple[str, ...] = ()
    """Locations, as rows hold them."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line.  `purged` and `kept` end what was `begun`; `failed` does not."""

    time: str
    by: str
    backend: str
    what: What
    item: Item | None = None
    why: str = ""


class PurgeLog:
    """The log in one file, of one backend, which one process at a time writes to.

    Raises `InvalidRequest` if the file cannot be written, and `InvalidState` while another process
    writes to it.
    """

    def __init__(self, path: Path, *, backend: str, by: str) -> None:
        self._backend = backend
        self._by = by
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise InvalidRequest(f"cannot write the log {path.name!r}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise InvalidState(
                "another gc is at work with this log: wait until it has ended"
            ) from error
        self._end_last_line()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def begin(self, items: Iterable[Item]) -> None:
        """Write down what is about to be purged, and return when it survives a loss of power."""
        self._append(self._line("begun", item) for item in items)
        os.fsync(self._file)

    def write(self, what: What, item: Item | None = None, why: str = "") -> None:
        self._append([self._line(what, item, why)])

    def unfinished(self) -> list[Item]:
        """Return what was begun in this backend, and neither purged nor kept."""
        begun: dict[tuple[str, str], Item] = {}
        for line in self._lines():
            if line.item is None or line.backend != self._backend:
                continue
            key = (line.item.kind, line.item.id)
            if line.what == "begun":
                begun[key] = line.item
            elif line.what in {"purged", "kept"}:
                begun.pop(key, None)
        return list(begun.values())

    def _line(self, what: What, item: Item | None, why: str = "") -> Line:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Line(now, self._by, self._backend, what, item, why)

    def _append(self, lines: Iterable[Line]) -> None:
        text = memoryview(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        while text:
            text = text[os.write(self._file, text) :]

    def _lines(self) -> Iterator[Line]:
        with open(os.dup(self._file), "rb") as file:  # noqa: PTH123 - a descriptor
            file.seek(0)
            for text in file:
                try:
                    yield msgspec.json.decode(text, type=Line)
                except msgspec.DecodeError:  # cut by a kill: what it was to say was not done yet
                    continue

    def _end_last_line(self) -> None:
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
