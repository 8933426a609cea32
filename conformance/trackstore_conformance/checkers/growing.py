"""A set that only grows, and is read whole, O(n log n)."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec.structs import replace

from trackstore_conformance.checkers.events import Clash, Event, first_called, first_returned, of


def growing(events: Sequence[Event]) -> list[Clash]:
    """Judge "write" of one element, and "read", whose value is a list."""
    adds = merged(of(events, "write"))
    reads = of(events, "read")
    wrong = [*doubled(reads), *invented(reads, adds), *unseen(reads, adds)]
    if wrong:
        return wrong
    ordered = sorted(reads, key=lambda read: (len(read.value), read.called))
    return list(incomparable(ordered)) or list(lost(ordered, adds))


def merged(adds: Iterable[Event]) -> dict[Hashable, Event]:
    """Return one add for each element: it is there at the latest when the first has returned."""
    by_element: dict[Hashable, list[Event]] = defaultdict(list)
    for add in adds:
        by_element[add.value].append(add)
    return {
        element: replace(first_called(same), returned=first_returned(same).returned)
        for element, same in by_element.items()
    }


def doubled(reads: Iterable[Event]) -> Iterator[Clash]:
    for read in reads:
        if len(set(read.value)) < len(read.value):
            twice = next(each for each in read.value if read.value.count(each) > 1)
            yield Clash("twice", f"{twice} was read twice", (read.index,))


def invented(reads: Iterable[Event], adds: dict[Hashable, Event]) -> Iterator[Clash]:
    for read in reads:
        for element in read.value:
            add = adds.get(element)
            if add is None or add.called > read.returned:
                why = f"{element} was read, which nobody had added"
                yield Clash("invented", why, (read.index,))


def unseen(reads: Iterable[Event], adds: dict[Hashable, Event]) -> Iterator[Clash]:
    """Yield the reads that miss what was added before them."""
    for read in reads:
        for element in adds.keys() - set(read.value):
            if adds[element].returned < read.called:
                why = f"{element} was missed by a later reader"
                yield Clash("lost", why, (adds[element].index, read.index))
                break


def incomparable(ordered: Sequence[Event]) -> Iterator[Clash]:
    for less, more in pairwise(ordered):
        missing = set(less.value) - set(more.value)
        if missing:
            one, other = min(missing), min(set(more.value) - set(less.value), default=None)
            why = f"one reader saw {one} and not {other}, and another the opposite"
            yield Clash("incomparable", why, (less.index, more.index))


def lost(ordered: Sequence[Event], adds: dict[Hashable, Event]) -> Iterator[Clash]:
    """Yield what must have been seen earlier than it was.

    In the one order that the sizes of the reads leave, each element comes right before the first
    read that has it; nothing in it may have returned before something ahead of it was called.
    """
    ahead: Event | None = None
    for group in in_order(ordered, adds):
        for event in group:
            if ahead is not None and event.returned < ahead.called:
                missed = event.value if event.action == "write" else "what was read before"
                calls = {event.index, ahead.index, *seen_first(ordered, event, ahead)}
                why = f"{missed} was missed by a later reader"
                yield Clash("lost", why, tuple(sorted(calls)))
        ahead = max([*group, *([ahead] if ahead else [])], key=lambda e: e.called, default=None)


def seen_first(ordered: Sequence[Event], event: Event, ahead: Event) -> Iterator[int]:
    """Yield who saw the later of two elements without the earlier one."""
    if ahead.action == event.action == "write":
        for read in ordered:
            if ahead.value in read.value and event.value not in read.value:
                yield read.index
                return


def in_order(ordered: Sequence[Event], adds: dict[Hashable, Event]) -> Iterator[list[Event]]:
    """Yield what comes first, then what comes next; what is in one list is in any order."""
    seen: set[Hashable] = set()
    for read in ordered:
        yield [adds[element] for element in read.value if element not in seen]
        seen |= set(read.value)
        yield [read]
    yield [add for element, add in adds.items() if element not in seen and add.sure]
