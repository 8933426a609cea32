"""Waiting in turn with others who want the same: each time longer, and never in step with them."""

import random
import time
from collections.abc import Iterator


def pauses(first: float, longest: float, *, within: float = float("inf")) -> Iterator[None]:
    """Yield once for each try, with a pause between two; `first`, `longest` and `within` are in s.

    It ends when the last pause went beyond `within`.
    """
    end = time.monotonic() + within
    pause = first
    while True:
        yield
        if time.monotonic() > end:
            return
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        pause = min(pause * 1.5, longest)
