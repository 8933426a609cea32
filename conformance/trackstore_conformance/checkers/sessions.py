"""What each client of a store may rely on for himself, and for what follows from what he read.

Every client counts up a counter of his own, and reads everybody's at once.  Read-your-writes,
monotonic reads, monotonic writes and writes-follow-reads are then comparisons of the counts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from trackstore_conformance.checkers.events import Clash, Event, of

Counts = Mapping[int, int]
"""The count of each client that has begun."""


def sessions(events: Sequence[Event]) -> list[Clash]:
    """Judge "write" of one's next number, and "read", whose value is `Counts`."""
    return [*own_sessions(events), *what_follows(events)]


def own_sessions(events: Sequence[Event]) -> Iterator[Clash]:
    written: dict[int, Event] = {}
    read: dict[int, Event] = {}
    for event in sorted(of(events, "write", "read"), key=lambda e: e.called):
        mine = event.client
        if event.action == "write":
            if event.sure:
                written[mine] = event
            continue
        if mine in written and event.value.get(mine, 0) < written[mine].value:
            why = f"client {mine} does not read his own write"
            yield Clash("read-your-writes", why, (written[mine].index, event.index))
        if mine in read and behind(event.value, read[mine].value):
            why = f"client {mine} reads older writes than before"
            yield Clash("monotonic-reads", why, (read[mine].index, event.index))
        read[mine] = event


def behind(counts: Counts, others: Counts) -> bool:
    return any(counts.get(client, 0) < count for client, count in others.items())


def what_follows(events: Sequence[Event]) -> Iterator[Clash]:
    """Yield the reads that show a write, and not what its writer had read or written before."""
    known: dict[int, dict[int, int]] = defaultdict(dict)
    causes: dict[tuple[int, int], tuple[Event, Counts]] = {}
    for event in sorted(of(events, "write", "read"), key=lambda e: e.called):
        mine = known[event.client]
        if event.action == "read":
            for client, count in event.value.items():
                mine[client] = max(count, mine.get(client, 0))
        else:
            causes[event.client, event.value] = event, dict(mine)
            if event.sure:
                mine[event.client] = event.value
    for read in of(events, "read"):
        for client, count in read.value.items():
            write, before = causes.get((client, count), (None, {}))
            if write is not None and behind(read.value, before):
                why = f"{count} of client {client} is read without what he had seen before it"
                yield Clash("writes-follow-reads", why, (write.index, read.index))
