"""A name that one holder has at a time."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations

from msgspec import Struct

from trackstore_conformance.checkers.events import Clash, Event, of
from trackstore_conformance.history import NEVER


class Hold(Struct, frozen=True):
    """The time during which somebody had the name for certain."""

    claim: Event
    since: int
    until: int


def holders(events: Sequence[Event]) -> list[Clash]:
    """Judge "claim" and "release" of one name; the value of each event is the holder.

    Two who had it at once clash.
    """
    held: dict[Hashable, list[Hold]] = defaultdict(list)
    for hold in holds(events):
        held[hold.claim.value].append(hold)
    return [
        Clash("two holders", f"{a} and {b} have it at once", (x.claim.index, y.claim.index))
        for (a, mine), (b, theirs) in combinations(held.items(), 2)
        for x, y in [first_overlap(mine, theirs)]
        if x and y
    ]


def holds(events: Sequence[Event]) -> Iterator[Hold]:
    """Yield for each claim the time from its return until its holder begins to let go."""
    for claim in of(events, "claim"):
        ends = [
            event.called
            for event in of(events, "release")
            if event.value == claim.value and event.returned >= claim.called
        ]
        until = min(ends, default=NEVER)
        if claim.sure and claim.returned < until:
            yield Hold(claim, claim.returned, until)


def first_overlap(
    mine: Sequence[Hold], theirs: Sequence[Hold]
) -> tuple[Hold, Hold] | tuple[None, None]:
    for x in mine:
        for y in theirs:
            if max(x.since, y.since) < min(x.until, y.until):
                return x, y
    return None, None
