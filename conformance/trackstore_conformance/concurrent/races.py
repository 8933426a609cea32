"""Run one piece of work in many threads or processes at once, on one store.

The work is a function `work(store, index, meet, *args)` that other processes can import; what it
returns for each index comes back as a list.  All begin together, and where each calls `meet` they
wait for each other.
"""

import atexit
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from random import Random
from threading import Barrier as ThreadBarrier
from threading import BrokenBarrierError, Thread
from time import monotonic, sleep
from typing import Any

from trackstore.stores import Store
from trackstore_conformance.violations import OutOfTime

WORKERS = 8
PATIENCE = 60.0
"""Seconds after which workers that do not begin, or do not end, fail the test."""
DISTURBED_LINES = 0.02
PAUSES = (0, 0, 0, 0.0003)
"""Seconds: long enough, now and then, for others to finish what they are at."""
SPAWN = multiprocessing.get_context("spawn")

Work = Callable[..., Any]


def race_threads(
    handles: list[Any], work: Work, *args: Any, patience: float = PATIENCE
) -> list[Any]:
    """Run `work` in eight threads, which share the handles.

    Raises `OutOfTime` if one of them does not come to its end; it may then still be at work.
    """
    barrier = ThreadBarrier(WORKERS)
    results: dict[int, Any] = {}
    errors: list[BaseException] = []

    def start(index: int) -> None:
        try:
            barrier.wait(patience)
            with disturbed(index):
                handle = handles[index % len(handles)]
                results[index] = work(handle, index, lambda: barrier.wait(patience), *args)
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    threads = [Thread(target=start, args=(index,), daemon=True) for index in range(WORKERS)]
    for thread in threads:
        thread.start()
    deadline = monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    for error in errors:
        if not isinstance(error, BrokenBarrierError):
            raise error
    if len(results) < WORKERS:
        raise OutOfTime(f"{WORKERS - len(results)} of {WORKERS} threads did not come to their end")
    return [results[index] for index in range(WORKERS)]


@contextmanager
def disturbed(index: int) -> Iterator[None]:
    """Let the others take a turn before one line in many of this thread, store's lines included.

    Left to itself a short call is seldom interrupted, and a gap of a few microseconds between
    two locks is never found.
    """
    chance = Random(index)

    def disturb(_frame: Any, _event: str, _arg: Any) -> Any:
        if chance.random() < DISTURBED_LINES:
            sleep(chance.choice(PAUSES))
        return disturb

    usual = sys.gettrace()
    sys.settrace(disturb)
    try:
        yield
    finally:
        sys.settrace(usual)


def race_processes(
    opener: Callable[[str], Store],
    url: str,
    work: Work,
    *args: Any,
    patience: float = PATIENCE,
) -> list[Any]:
    """Run `work` in eight processes, each with a handle of its own.

    Raises `OutOfTime` if one of them does not come to its end; all are killed then.
    """
    try:
        return crew().race(opener, url, work, args, patience)
    except BaseException:
        dismiss_crew()
        raise


@cache
def crew() -> "Crew":
    """Start the processes once: they serve every race of this session."""
    atexit.register(dismiss_crew)
    return Crew()


def dismiss_crew() -> None:
    if crew.cache_info().currsize:
        crew().kill()
        crew.cache_clear()


class Crew:
    """Eight processes that wait for work."""

    def __init__(self) -> None:
        self.barrier = SPAWN.Barrier(WORKERS)  # kept: a process that starts later looks for it
        pipes = [SPAWN.Pipe() for _ in range(WORKERS)]
        self.ends = [ours for ours, _ in pipes]
        self.processes = [
            SPAWN.Process(target=serve, args=(theirs, self.barrier, index), daemon=True)
            for index, (_, theirs) in enumerate(pipes)
        ]
        for process in self.processes:
            process.start()
        for _, theirs in pipes:
            theirs.close()

    def race(
        self,
        opener: Callable[[str], Store],
        url: str,
        work: Work,
        args: tuple[Any, ...],
        patience: float,
    ) -> list[Any]:
        for end in self.ends:
            end.send((opener, url, work, args, patience))
        deadline = monotonic() + patience
        told: list[Any] = []
        for end in self.ends:
            if not end.poll(max(0.0, deadline - monotonic())):
                raise OutOfTime(f"of {WORKERS} processes {len(told)} came to their end")
            told.append(end.recv())
        errors = [result for result in told if isinstance(result, BaseException)]
        for error in sorted(errors, key=lambda each: isinstance(each, BrokenBarrierError)):
            raise error
        return told

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
        for process, end in zip(self.processes, self.ends, strict=True):
            process.join()
            end.close()


def serve(end: Connection, barrier: Barrier, index: int) -> None:
    """Do one piece of work after another, until nobody is there to ask for more."""
    while True:
        try:
            job = end.recv()
        except EOFError:
            return
        try:
            end.send(work_in_process(barrier, index, *job))
        except BaseException as error:
            barrier.abort()
            end.send(portable(error))


def work_in_process(
    barrier: Barrier,
    index: int,
    opener: Callable[[str], Store],
    url: str,
    work: Work,
    args: tuple[Any, ...],
    patience: float,
) -> Any:
    with opener(url) as store:
        barrier.wait(patience)
        return work(store, index, lambda: barrier.wait(patience), *args)


def portable(error: BaseException) -> BaseException:
    """Return an error that can be sent to another process, whatever the store's own one holds."""
    plain: type[BaseException] = (
        type(error) if isinstance(error, BrokenBarrierError) else RuntimeError
    )
    return plain(repr(error))
