"""A register that keeps the greatest value written, O(n log n)."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from trackstore_conformance.checkers.events import Clash, Event, first_called, of

NOTHING: tuple[Any, ...] = ()
"""Less than every value; values are tuples."""


def latest(events: Sequence[Event]) -> list[Clash]:
    """Judge "write", "read" (`NOTHING` if absent), and "refused" writes, which have no effect."""
    writes: dict[Any, list[Event]] = defaultdict(list)
    for event in of(events, "write"):
        writes[event.value].append(event)
    reads = of(events, "read")
    invented = list(unfounded(reads, writes))
    if invented:
        return invented
    acknowledged = Greatest(event for event in of(events, "write") if event.sure)
    seen = Greatest(reads)
    return [
        *lesser(reads, acknowledged, "lesser", "was acknowledged"),
        *lesser(reads, seen, "back", "was read"),
        *overtaken(events, writes, reads),
    ]


class Greatest:
    """The greatest value of some events that had returned before a time."""

    def __init__(self, events: Iterable[Event]) -> None:
        ordered = sorted(events, key=lambda event: event.returned)
        self.returned = [event.returned for event in ordered]
        self.best: list[Event] = []
        for event in ordered:
            known = self.best[-1] if self.best else event
            self.best.append(max(known, event, key=lambda each: each.value))

    def before(self, time: int) -> Event | None:
        place = bisect_left(self.returned, time)
        return self.best[place - 1] if place else None


def unfounded(reads: Iterable[Event], writes: dict[Any, list[Event]]) -> Iterator[Clash]:
    for read in reads:
        if read.value == NOTHING:
            continue
        possible = [write for write in writes.get(read.value, []) if write.called <= read.returned]
        if not possible:
            why = f"{read.value} was read, which nobody had written"
            yield Clash("invented", why, (read.index,))


def lesser(reads: Iterable[Event], known: Greatest, kind: str, how: str) -> Iterator[Clash]:
    for read in reads:
        greatest = known.before(read.called)
        if greatest is not None and greatest.value > read.value:
            why = f"{read.value or 'nothing'} was read after {greatest.value} {how}"
            yield Clash(kind, why, (greatest.index, read.index))


def overtaken(
    events: Sequence[Event], writes: dict[Any, list[Event]], reads: Sequence[Event]
) -> Iterator[Clash]:
    """Yield the reads of a value that was written only after a greater one was there."""
    known = Greatest([*reads, *(event for event in of(events, "write") if event.sure)])
    for read in reads:
        if read.value == NOTHING:
            continue
        write = first_called(writes[read.value])
        greatest = known.before(write.called)
        if greatest is not None and greatest.value > read.value:
            why = f"{read.value} was read, and was written after {greatest.value} was there"
            yield Clash("overtaken", why, tuple(sorted((greatest.index, write.index, read.index))))
