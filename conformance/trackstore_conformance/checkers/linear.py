"""Any object with a sequential meaning: Wing and Gong's search, with Lowe's memory.

It looks for an order of the calls, one that their times allow, in which each comes out as it
did.  The price grows with the number of calls that are under way at once, so it is for histories
of a few clients, one object at a time, where no faster checker fits.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from trackstore_conformance.checkers.events import Event, Undecided

S = TypeVar("S", bound=Hashable)
Step = Callable[[S, Event], Iterable[S]]
"""Return the states that may follow if the event comes next; none if it can't.

For an event that is not sure these are the states in which it had its effect.
"""

MOST_STATES = 200_000
"""After which the search is given up."""


class Stuck(Struct, frozen=True):
    """No order exists; the farthest that one came was to all but `left`."""

    left: tuple[Event, ...]
    """Those that could have come next by their times, and could not by what they saw."""


def linearize(
    events: Sequence[Event], initial: S, step: Step[S], most: int = MOST_STATES
) -> Stuck | None:
    """Return None if there is an order; raise `Undecided` after `most` states."""
    ordered = sorted(events, key=lambda event: (event.called, event.returned))
    needed = sum(1 << place for place, event in enumerate(ordered) if event.sure)
    known = {(0, initial)}
    open_ends = [(0, initial)]
    farthest = 0
    while open_ends:
        done, state = open_ends.pop()
        if done & needed == needed:
            return None
        if (done & needed).bit_count() >= (farthest & needed).bit_count():
            farthest = done
        for place in next_places(ordered, done):
            for following in step(state, ordered[place]):
                reached = (done | 1 << place, following)
                if reached not in known:
                    known.add(reached)
                    open_ends.append(reached)
        if len(known) > most:
            raise Undecided(f"{most:,} states of {len(events)} calls")
    return Stuck(tuple(ordered[place] for place in next_places(ordered, farthest)))


def next_places(ordered: Sequence[Event], done: int) -> list[int]:
    """Return which calls may come next: those before whose call no other has returned."""
    places = []
    deadline: int | None = None
    for place, event in enumerate(ordered):
        if done >> place & 1:
            continue
        if deadline is not None and event.called > deadline:
            break
        places.append(place)
        deadline = event.returned if deadline is None else min(deadline, event.returned)
    return places
