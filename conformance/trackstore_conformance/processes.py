"""What is done to a process: it is forked, or its descriptors are counted."""

import os
import select
import warnings
from collections.abc import Callable
from pathlib import Path

from trackstore_conformance.concurrent.races import PATIENCE


def open_descriptors() -> int:
    """Return how many this process has open; where that cannot be told, none."""
    listing = Path("/dev/fd")
    return len(list(listing.iterdir())) if listing.exists() else 0


def in_a_child(work: Callable[[], None]) -> bytes:
    """Fork, do the work in the child, and return "ok" or what it failed with."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is the point
        child = os.fork()
    if child == 0:
        try:
            work()
            os.write(writing, b"ok")
        except BaseException as error:
            os.write(writing, repr(error).encode()[:4_000])
        finally:
            os._exit(0)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], PATIENCE)
        if not ready:
            os.kill(child, 9)
        return os.read(reading, 4_000) if ready else b"the child hung"
    finally:
        os.waitpid(child, 0)
        os.close(reading)
