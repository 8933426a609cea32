"""A state that many processes share by a file of lines: one for each write, with its checksum."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from pathlib import Path
from pickle import dumps, loads
from threading import Lock
from typing import Any, BinaryIO
from zlib import crc32

from msgspec import Struct, convert, to_builtins

from trackstore import model as m
from trackstore.errors import BackendError, InvalidState, TrackstoreError

HEADER = 33  # a random name and a newline: a journal that was rewritten has another name


class State(Struct):
    experiments: dict[str, m.Experiment] = {}
    runs: dict[str, m.Run] = {}  # each in its own stage, whatever its experiment's
    points: dict[str, dict[str, list[m.Metric]]] = {}  # by run and key, in order
    datasets: dict[str, dict[str, m.Dataset]] = {}  # by experiment, and by name and digest


class Journaled:
    """Each use opens the file, so that nothing is held that a fork could share."""

    def __init__(self, path: Path) -> None:
        self._path, self._process, self._lock, self._closed = path, os.getpid(), Lock(), False
        self._name, self._end = b"", HEADER  # which journal was read, and how far

    def close(self) -> None:
        with self._lock:
            self._closed = True

    @contextmanager
    def _now(self) -> Iterator[BinaryIO]:
        """Bring the state up to date, and keep it so; yield the file that takes a new line."""
        if self._process != os.getpid():  # after a fork, another thread may have held the lock
            self._process, self._lock, self._name = os.getpid(), Lock(), b""
        with self._lock:
            if self._closed:
                raise InvalidState("this store is closed")
            try:
                with Path(f"{self._path}.lock").open("ab") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    try:
                        if not self._path.exists():
                            self._rewrite(State())
                        with self._path.open("rb+") as file:
                            self._read(file)
                            yield file
                    finally:
                        fcntl.flock(lock, fcntl.LOCK_UN)  # a child of a fork may have it open too
            except TrackstoreError:
                raise  # nothing was changed
            except BaseException as error:
                self._name = b""  # read all again: the state may be ahead of the file
                if not isinstance(error, OSError):
                    raise
                raise BackendError("the journal cannot be used", outcome="unknown") from error

    def _read(self, file: BinaryIO) -> None:
        if (name := file.read(HEADER)) != self._name:
            self._name, self._end = name, HEADER
        file.seek(self._end)
        *lines, torn = file.read().split(b"\n")
        for line in lines:
            if line[:8] != b"%08x" % crc32(line[9:]):
                if torn or line is not lines[-1]:
                    raise OSError("a line of the journal is damaged")
                torn = line
                break
            self._apply(line)
            self._end += len(line) + 1
        if torn:  # cut short, or with a gap: nobody was told that it succeeded
            file.truncate(self._end)

    def _apply(self, line: bytes) -> Any:
        kind, *args = json.loads(line[9:])
        if call := getattr(type(self), kind, None):
            return call.__wrapped__(self, *map(convert, args, call.types))
        self.state = convert(args[0], State)  # a line of _rewrite
        return None

    def _rewrite(self, state: State) -> None:
        """Put a journal of one line, the state, in the place of this one, in one step."""
        new = Path(f"{self._path}.new")
        with new.open("wb") as file:
            file.write(os.urandom(16).hex().encode() + b"\n" + line_of("state", state))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        os.fsync(folder := os.open(self._path.parent, os.O_RDONLY))
        os.close(folder)


def reads(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Journaled, *args: Any) -> Any:
        with self._now():
            return loads(dumps(method(self, *args)))  # a copy, and a quick one

    return call


def writes(method: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a call as every other process will, from its line, and then keep the line."""

    @wraps(method)
    def call(self: Journaled, *args: Any) -> Any:
        line = line_of(method.__name__, *args)
        with self._now() as file:
            found = loads(dumps(self._apply(line)))
            if method.__name__.startswith("purge"):  # no line may be left of what is erased
                self._rewrite(self.state)
            else:
                file.seek(self._end)
                self._end += file.write(line)
                file.flush()
                os.fsync(file.fileno())
            return found

    call.types = [each.annotation for each in signature(method).parameters.values()][1:]
    return call


def line_of(kind: str, *args: Any) -> bytes:
    text = json.dumps([kind, *map(to_builtins, args)]).encode()
    return b"%08x %b\n" % (crc32(text), text)
