"""System calls of a worker, as strace shows them, and strikes one by its number.

strace attaches to a worker that waits for its first call, so all it counts belongs to the store.
"""

import re
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, pairwise, zip_longest
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self, TypeVar

from msgspec import Struct

from trackstore_conformance.crash.nursery import PATIENCE, Worker

T = TypeVar("T")

CHANGING = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"),
    *("fsync", "fdatasync", "sync_file_range", "msync", "ftruncate", "truncate", "fallocate"),
    *("open", "creat", "openat", "mkdir", "mkdirat", "rename", "renameat", "renameat2"),
    *("link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "sendto"),
)
"""Calls that change what is on disk, or what a server was told: between two of them a kill makes
no difference."""
OPENING = ("open", "openat")
ANSWERS = "sendmsg"
"""By this call alone a worker answers."""

_WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (.*)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_ENDED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)\) += (.*)")
_OPENED = re.compile(r"\d+<([^<>]*)>")
_QUOTED = re.compile(r"<([^<>]*)>|\"((?:[^\"\\]|\\.)*)\"")


class CannotTrace(Exception):
    """strace is missing, or the system does not let it trace."""


class SystemCall(Struct):
    thread: int
    name: str
    arguments: str
    result: str = "?"
    """What followed the equals sign; "?" if the call never ended."""

    @property
    def may_change(self) -> bool:
        """Tell it from a call that only opens a file to read it."""
        return self.name not in OPENING or "O_CREAT" in self.arguments

    @property
    def succeeded(self) -> bool:
        return self.result[0] not in "-?"


class Point(Struct, frozen=True):
    """A place in the work of a worker: the system call `name`, when a thread makes it for the
    `when`th time."""

    name: str
    when: int
    about: str = ""
    """The files that the call named."""

    def __str__(self) -> str:
        return f"{self.name} no. {self.when}{f' ({self.about})' if self.about else ''}"


class Tracer:
    """strace, attached to a worker until it ends or the `with` block does."""

    def __init__(self, worker: Worker, log: Path, *options: str) -> None:
        self._log = log
        options = ("-f", "-y", "-o", str(log), *options)
        self._process = _attached(["strace", *options, "-p", str(worker.pid)])

    def detach(self) -> None:
        """Let the worker go on alone."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def calls(self) -> list[SystemCall]:
        """Return what was traced, once the worker has ended or was let go."""
        self._process.wait(PATIENCE)
        return list(parsed(self._log.read_text(errors="surrogateescape").splitlines()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.detach()
        assert self._process.stderr is not None
        self._process.stderr.close()


def of_changes(strike: str | None) -> list[str]:
    """Return the options that show what changes something, and strike at some of it.

    The words of a strike are strace's: "pwrite64:signal=KILL:when=3".
    """
    options = ["-s", "0", "-e", traced_calls(*CHANGING)]
    return options if strike is None else [*options, "-e", f"inject={strike}"]


def traced_calls(*names: str) -> str:
    return "trace=" + ",".join(f"?{name}" for name in names)


def _attached(command: Sequence[str]) -> "subprocess.Popen[str]":
    if shutil.which("strace") is None:
        raise CannotTrace("strace is not installed")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stderr is not None
    said = process.stderr.readline()
    if "attached" not in said:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        process.stderr.close()
        raise CannotTrace(f"strace cannot trace here: {said.strip()}")
    return process


def parsed(lines: Sequence[str]) -> Iterator[SystemCall]:
    """Yield the calls in the order in which they began."""
    begun: dict[int, SystemCall] = {}
    found: list[SystemCall] = []
    for line in lines:
        if ended := _ENDED.fullmatch(line):
            call = begun.pop(int(ended[1]))
            call.arguments += ended[2]
            call.result = ended[3]
        elif whole := _WHOLE.fullmatch(line):
            found.append(SystemCall(int(whole[1]), whole[2], whole[3], whole[4]))
        elif cut := _BEGUN.fullmatch(line):
            found.append(SystemCall(int(cut[1]), cut[2], cut[3]))
            begun[int(cut[1])] = found[-1]
    yield from found


def points(calls: Sequence[SystemCall], existing: Collection[str]) -> list[Point]:
    """Return the places at which the work of these calls can be struck, in their order.

    `existing` are the paths of the files that were there before: to open them makes nothing.
    """
    known = set(existing)
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    found: dict[tuple[str, int], Point] = {}
    for call in calls:
        if call.name in CHANGING:
            counts[call.thread][call.name] += 1
            place = call.name, counts[call.thread][call.name]
            if call.may_change and call.succeeded and not known & opened_by(call):
                found.setdefault(place, Point(*place, about=files_of(call)))
            known |= opened_by(call)
    return list(found.values())


def opened_by(call: SystemCall) -> set[str]:
    """Return the path behind the descriptor that a call returned, if it did."""
    return set(_OPENED.findall(call.result))


def files_of(call: SystemCall) -> str:
    named = [Path(a or b).name for a, b in _QUOTED.findall(call.arguments)]
    return ", ".join(dict.fromkeys(name for name in named if name))


def spread(found: Sequence[T], most: int, random: Random) -> list[T]:
    """Return at most so many of them, each chosen from its share."""
    if len(found) <= most or most < 1:
        return list(found[: max(most, 0)])
    ends = [len(found) * number // most for number in range(most + 1)]
    return [found[random.randrange(start, end)] for start, end in pairwise(ends)]


def chosen(found: Sequence[Point], most: int, random: Random) -> list[Point]:
    """Return at most so many points, as many of one system call as of another, and in turns.

    A journal is written a hundred times and renamed once: what goes wrong does so at the rename.
    """
    groups: defaultdict[str, list[Point]] = defaultdict(list)
    for point in found:
        groups[point.name].append(point)
    picked: list[list[Point]] = []
    for left, group in zip(
        range(len(groups), 0, -1), sorted(groups.values(), key=len), strict=True
    ):
        picked.append(spread(group, -(-(most - sum(map(len, picked))) // left), random))
    turns = chain.from_iterable(zip_longest(*picked))
    return [point for point in turns if point is not None]
