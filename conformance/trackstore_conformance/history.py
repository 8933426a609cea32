"""What concurrent clients saw of a store: every call, when it began and when it ended."""

from typing import Any

from msgspec import Struct

NEVER = 2**63 - 1
"""The `returned` of a call whose end nobody saw."""


class Call(Struct, frozen=True):
    """One call of one client, on the clock of `time.monotonic_ns`, which processes share."""

    client: int
    operation: str
    """What was asked, in the words of the program: "write tag", "read run"."""
    arguments: dict[str, Any]
    """Plain JSON values."""
    called: int
    """Nanoseconds."""
    returned: int
    """Nanoseconds; `NEVER` where the outcome is unknown."""
    way: str
    """"ok", the name of the error as `outcomes.way_of` gives it, or "unknown": it may have
    happened, may happen later, or never."""
    value: Any = None
    """What was returned, as plain JSON values."""


class History(Struct, frozen=True):
    """The calls of one run of a program, and how to run it again."""

    workload: str
    """Which kind of program it was; it decides by which checkers the history is judged."""
    calls: tuple[Call, ...]
    seed: int = 0
    clients: str = "threads"
    """"threads" or "processes"."""
