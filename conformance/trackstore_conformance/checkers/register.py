"""A register whose writes all have different values: Gibbons and Korach's zones, O(n log n).

The write of a value and its reads must all fall between two other writes.  So the zone of a
value, from the first return of these calls to the last call, must not cross another's.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate, pairwise

from msgspec import Struct

from trackstore_conformance.checkers.events import (
    Clash,
    Event,
    first_returned,
    last_called,
    of,
)

BEGINNING = -1
"""When the initial value was written."""


class Zone(Struct, frozen=True):
    """The calls on one value: `first` is the one that returned first, `last` was called last."""

    value: Hashable
    first: Event
    last: Event

    @property
    def forward(self) -> bool:
        """The value must have stood throughout, from the first return to the last call."""
        return self.first.returned < self.last.called

    def clash(self, other: "Zone") -> Clash:
        return Clash(
            "stale",
            f"{self.value!r:.60} was there before {other.value!r:.60}, and after it",
            tuple(
                sorted(
                    each.index
                    for each in {self.first, self.last, other.first, other.last}
                    if each.index >= 0
                )
            ),
        )


def register(events: Sequence[Event], initial: Hashable = None) -> Clash | None:
    """Judge the actions "write", "read" and "refused", a write that must have had no effect."""
    writes = {event.value: event for event in of(events, "write")}
    refused = {event.value: event for event in of(events, "refused")}
    reads: dict[Hashable, list[Event]] = defaultdict(list)
    for read in of(events, "read"):
        if read.value != initial or read.value in writes:
            clash = unfounded(read, writes, refused)
            if clash is not None:
                return clash
        reads[read.value].append(read)
    return crossing(list(zones(writes, reads, initial)))


def unfounded(
    read: Event, writes: dict[Hashable, Event], refused: dict[Hashable, Event]
) -> Clash | None:
    """Tell what is wrong with the read if there is no write that it can have seen."""
    write = writes.get(read.value)
    if write is None and read.value in refused:
        calls = (refused[read.value].index, read.index)
        return Clash("refused", f"{read.value!r:.60} was read, whose write was refused", calls)
    if write is None:
        return Clash("unwritten", f"{read.value!r:.60} was read, which nobody wrote", (read.index,))
    if read.returned < write.called:
        return Clash(
            "unwritten",
            f"{read.value!r:.60} was read before it was written",
            (read.index, write.index),
        )
    return None


def zones(
    writes: dict[Hashable, Event], reads: dict[Hashable, list[Event]], initial: Hashable
) -> Iterator[Zone]:
    beginning = Event(-1, BEGINNING, BEGINNING, "write", initial)
    for value, write in {initial: beginning, **writes}.items():
        calls = [write, *reads[value]]
        if write.sure or len(calls) > 1:
            yield Zone(value, first_returned(calls), last_called(calls))


def later(one: Zone, other: Zone) -> Zone:
    return max(one, other, key=lambda zone: zone.last.called)


def crossing(found: list[Zone]) -> Clash | None:
    """Return the clash of two zones of which each must come before the other."""
    forward = sorted((zone for zone in found if zone.forward), key=lambda z: z.first.returned)
    for one, other in pairwise(forward):
        if other.first.returned < one.last.called:
            return one.clash(other)
    begins = [zone.first.returned for zone in forward]
    latest = list(accumulate(forward, later))
    for zone in found:
        before = bisect_left(begins, zone.last.called)
        if zone.forward or not before:
            continue
        around = latest[before - 1]
        if zone.first.returned < around.last.called:
            return around.clash(zone)
    return None
