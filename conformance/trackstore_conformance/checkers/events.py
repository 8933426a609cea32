"""What a checker is given, and what it finds."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from trackstore_conformance.history import NEVER


class Event(Struct, frozen=True):
    """What one call did to, or saw of, one object."""

    index: int
    """Which call of the history it is."""
    called: int
    """Nanoseconds."""
    returned: int
    """Nanoseconds; `NEVER` if nobody saw the end."""
    action: str
    """"write", "read" and so on, as the checker has it."""
    value: Any = None
    client: int = 0

    @property
    def sure(self) -> bool:
        """Tell if it took effect for certain; otherwise it may have, may later, or never."""
        return self.returned != NEVER


class Clash(Struct, frozen=True):
    """Why events can't have come about in a store that is right."""

    kind: str
    why: str
    """A sentence without its end, in terms of the object."""
    calls: tuple[int, ...]
    """Which calls of the history prove it."""


class Undecided(Exception):
    """A search was given up: nothing is known."""


def of(events: Iterable[Event], *actions: str) -> list[Event]:
    return [event for event in events if event.action in actions]


def first_called(events: Iterable[Event]) -> Event:
    return min(events, key=lambda event: event.called)


def last_called(events: Iterable[Event]) -> Event:
    return max(events, key=lambda event: event.called)


def first_returned(events: Iterable[Event]) -> Event:
    return min(events, key=lambda event: event.returned)
