"""Kill a process in the midst of its writes."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from trackstore_conformance.races import PATIENCE, SPAWN


def kill_after(acknowledged: int, work: Callable[..., None], *args: Any) -> list[Any]:
    """Run `work(acknowledge, *args)` in a process, kill it, and return all it acknowledged.

    It is killed, without warning, once it has acknowledged as much.
    """
    ours, theirs = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=run, args=(theirs, work, args))
    process.start()
    theirs.close()
    told: list[Any] = []
    try:
        while len(told) < acknowledged:
            assert ours.poll(PATIENCE), f"the writer stopped after {told}"
            told.append(ours.recv())
    finally:
        process.kill()
        process.join()
    return told + rest_of(ours)


def rest_of(pipe: Connection) -> list[Any]:
    """Return what was acknowledged between the decision to kill and the end."""
    told = []
    try:
        while True:
            told.append(pipe.recv())
    except (EOFError, OSError):
        return told


def run(pipe: Connection, work: Callable[..., None], args: tuple[Any, ...]) -> None:
    work(pipe.send, *args)
