"""A writer and a reader at once, as often as it takes to see what only a moment shows."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event

SWITCH = 1e-5
"""Seconds after which a thread gives way to another; usually whole calls pass before it does."""


def look_while(write: Callable[[int], None], look: Callable[[], None], looks: int) -> None:
    """Call `look` so many times while another thread calls `write` with 0, 1, 2...

    What either raises ends both.
    """
    ended = Event()

    def write_on() -> None:
        for number in count():
            if ended.is_set():
                return
            write(number)

    with _eager_threads(), ThreadPoolExecutor(1) as pool:
        written = pool.submit(write_on)
        try:
            for _ in range(looks):
                if written.done():
                    break
                look()
        finally:
            ended.set()
        written.result()


@contextmanager
def _eager_threads() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
