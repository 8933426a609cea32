"""Walks through a list, page by page, while rows come and go, O(n)."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Literal

from trackstore_conformance.checkers.events import Clash, Event, of

Presence = Literal["there", "absent", "unknown"]


def pages(events: Sequence[Event]) -> list[Clash]:
    """Judge "appear" and "vanish" of a row, and "walk", whose value has the rows of all pages.

    A row that is there throughout a walk must come once, one that is absent throughout not at
    all, and none twice: rows never move.
    """
    changes: dict[Hashable, list[Event]] = defaultdict(list)
    for event in of(events, "appear", "vanish"):
        changes[event.value].append(event)
    return [clash for walk in of(events, "walk") for clash in judge(walk, changes)]


def judge(walk: Event, changes: Mapping[Hashable, list[Event]]) -> Iterator[Clash]:
    counts = Counter(walk.value)
    for row, times in counts.items():
        if times > 1:
            yield Clash("twice", f"{row} is on {times} pages", (walk.index,))
    for row in dict.fromkeys([*changes, *counts]):
        presence, proofs = during(walk, changes.get(row, []))
        calls = (*proofs, walk.index)
        if presence == "there" and not counts[row]:
            yield Clash("missed", f"{row} was there throughout, and is on no page", calls)
        if presence == "absent" and counts[row]:
            yield Clash("ghost", f"{row} was absent throughout, and is on a page", calls)


def during(walk: Event, changes: Sequence[Event]) -> tuple[Presence, tuple[int, ...]]:
    """Tell if a row was there or absent throughout the walk, and which calls show it."""
    begun = [change for change in changes if change.called <= walk.returned]
    appear, vanish = of(begun, "appear"), of(begun, "vanish")
    last = undone(walk, vanish, appear)
    if last:
        return "there", (last.index,)
    if not appear:
        return "absent", ()
    gone = undone(walk, appear, vanish)
    return ("absent", (gone.index,)) if gone else ("unknown", ())


def undone(walk: Event, changes: Sequence[Event], opposite: Sequence[Event]) -> Event | None:
    """Return the last of `opposite` if each of the changes was surely undone before the walk."""
    ended = [each for each in opposite if each.returned < walk.called]
    last = max(ended, key=lambda each: each.called, default=None)
    if last is None or any(change.returned >= last.called for change in changes):
        return None
    return last
