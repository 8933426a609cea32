"""Run one piece of work in many threads or processes at once, on one store.

The work is a function `work(store, index, *args)` that other processes can import; what it
returns for each index comes back as a list.  All begin together, at a barrier.
"""

import atexit
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing.synchronize import Barrier
from random import Random
from threading import Barrier as ThreadBarrier
from time import sleep
from typing import Any

from trackstore.stores import Store

WORKERS = 8
PATIENCE = 60.0
"""Seconds after which workers that do not begin, or do not end, fail the test."""
DISTURBED_LINES = 0.02
SPAWN = multiprocessing.get_context("spawn")

Work = Callable[..., Any]


def race_threads(handles: list[Any], work: Work, *args: Any) -> list[Any]:
    """Run `work` in eight threads, which share the handles."""
    barrier = ThreadBarrier(WORKERS)

    def start(index: int) -> Any:
        barrier.wait(PATIENCE)
        with disturbed(index):
            return work(handles[index % len(handles)], index, *args)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(start, range(WORKERS), timeout=PATIENCE))


@contextmanager
def disturbed(index: int) -> Iterator[None]:
    """Let the others take a turn before one line in many of this thread, store's lines included.

    Left to itself a short call is seldom interrupted, and a gap of a few microseconds between
    two locks is never found.
    """
    chance = Random(index)

    def disturb(_frame: Any, _event: str, _arg: Any) -> Any:
        if chance.random() < DISTURBED_LINES:
            sleep(0)
        return disturb

    usual = sys.gettrace()
    sys.settrace(disturb)
    try:
        yield
    finally:
        sys.settrace(usual)


def race_processes(opener: Callable[[str], Store], url: str, work: Work, *args: Any) -> list[Any]:
    """Run `work` in eight processes, each with a handle of its own."""
    pool = crew()
    futures = [
        pool.submit(work_in_process, opener, url, work, index, args) for index in range(WORKERS)
    ]
    try:
        return [future.result(PATIENCE) for future in futures]
    except BaseException:
        dismiss_crew()
        raise


@cache
def crew() -> ProcessPoolExecutor:
    """Start the processes once: they serve every race of this session."""
    atexit.register(dismiss_crew)
    barrier = SPAWN.Barrier(WORKERS)
    return ProcessPoolExecutor(WORKERS, mp_context=SPAWN, initializer=enlist, initargs=(barrier,))


def dismiss_crew() -> None:
    if crew.cache_info().currsize:
        crew().shutdown(wait=False, cancel_futures=True)
        crew.cache_clear()


_barrier: Barrier | None = None


def enlist(barrier: Barrier) -> None:
    global _barrier  # noqa: PLW0603 - a process of the pool is given its barrier once
    _barrier = barrier


def work_in_process(
    opener: Callable[[str], Store], url: str, work: Work, index: int, args: tuple[Any, ...]
) -> Any:
    assert _barrier is not None
    with opener(url) as store:
        _barrier.wait(PATIENCE)
        return work(store, index, *args)
