"""An end to a test that would not come to one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

from trackstore_conformance.violations import OutOfTime

AGAIN = 1.0
"""Seconds after which the alarm rings once more, if nobody heard it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in the main thread if the block takes longer.

    Where an exception cannot be raised, as in a callback of the garbage collector, it comes a
    second later, or when the block has ended.  A sooner alarm of somebody else goes off as it
    would have.  Without signals, on a system that has none or outside the main thread, the block
    takes as long as it takes.
    """
    sooner = _seconds_to_the_next_alarm()
    if sooner is None or 0 < sooner <= seconds:
        yield
        return
    began = monotonic()

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"it took over {seconds:g} s")

    usual = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)
        taken = monotonic() - began
        if sooner:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, sooner - taken))
    if taken > seconds:
        raise OutOfTime(f"it took {taken:.0f} s, which is over {seconds:g} s")


def _seconds_to_the_next_alarm() -> float | None:
    """Return 0 if there is none, and None if there can be none."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "getitimer"):
        return None
    return signal.getitimer(signal.ITIMER_REAL)[0]
