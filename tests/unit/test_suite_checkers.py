"""Each checker against a judge that tries everything, on small histories: neither cries wolf nor
sleeps."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations, product
from random import Random
from typing import Any

import pytest

from trackstore_conformance.checkers.events import Event, Undecided
from trackstore_conformance.checkers.fractured import Seen, fractured
from trackstore_conformance.checkers.growing import growing
from trackstore_conformance.checkers.holders import holders
from trackstore_conformance.checkers.latest import NOTHING, latest
from trackstore_conformance.checkers.linear import linearize
from trackstore_conformance.checkers.pages import pages
from trackstore_conformance.checkers.register import register
from trackstore_conformance.checkers.sessions import sessions
from trackstore_conformance.checkers.write_once import write_once
from trackstore_conformance.history import NEVER

CASES = 4_000
Step = Callable[[Any, Event], Iterable[Any]]


def ordered(left: Sequence[Event], state: Any, step: Step) -> bool:
    """Tell if any order that the times allow explains what was seen, by trying them all."""
    if not any(event.sure for event in left):
        return True
    return any(
        ordered([each for each in left if each is not event], following, step)
        for event in left
        if not any(other.returned < event.called for other in left if other is not event)
        for following in step(state, event)
    )


Make = Callable[[Random], tuple[str, Any, bool]]
"""An action and its value by chance, and if its end may be unknown."""


def history(random: Random, make: Make) -> list[Event]:
    """Return up to six events with short times, some of which are equal, some without an end."""
    events = []
    for index in range(random.randint(1, 6)):
        action, value, may_be_lost = make(random)
        called = random.randrange(8)
        returned = called + random.randrange(1, 5)
        if may_be_lost and random.random() < 0.2:
            returned = NEVER
        events.append(Event(index, called, returned, action, value, random.randint(1, 3)))
    return events


def agree(make: Callable[[int], Make], step: Step, initial: Any, find: Callable[..., Any]) -> None:
    """Check that the checker clashes where no order exists, and only there, often enough each."""
    verdicts = []
    for seed in range(CASES):
        random = Random(seed)
        events = history(random, make(seed))
        right = ordered(events, initial, step)
        clash = find(events)
        assert bool(clash) is not right, (right, clash, events)
        verdicts.append(right)
    assert CASES / 10 < sum(verdicts) < CASES * 9 / 10


def unique_values(_seed: int) -> Make:
    numbers = iter(range(1, 9))

    def make(random: Random) -> tuple[str, Any, bool]:
        if random.random() < 0.5:
            return "write", next(numbers), True
        if random.random() < 0.1:
            return "refused", next(numbers), False
        return "read", random.choice([None, 1, 1, 2, 2, 3]), False

    return make


def in_register(state: Any, event: Event) -> list[Any]:
    if event.action == "write":
        return [event.value]
    return [state] if event.action == "refused" or event.value == state else []


def test_a_register_is_judged_as_by_all_orders() -> None:
    """Zones of unique values: linearizable or not, with unknown and refused writes."""
    agree(unique_values, in_register, None, register)


def few_values(_seed: int) -> Make:
    def make(random: Random) -> tuple[str, Any, bool]:
        if random.random() < 0.5:
            return random.choice(["write", "write", "conflict"]), random.choice("aab"), False
        if random.random() < 0.3:
            return "write", random.choice("ab"), True
        if random.random() < 0.1:
            return "refused", "c", False
        return "read", random.choice([None, "a", "a", "b"]), False

    return make


def once(state: Any, event: Event) -> list[Any]:
    match event.action:
        case "write":
            same = state in {None, event.value}
            return [event.value] if same else [] if event.sure else [state]
        case "conflict":
            return [state] if state not in {None, event.value} else []
        case "refused":
            return [state]
    return [state] if event.value == state else []


def test_a_value_that_is_written_once_is_judged_as_by_all_orders() -> None:
    """One value wins, its rivals are conflicts, and readers see nothing or it."""
    agree(few_values, once, None, write_once)


def small_points(_seed: int) -> Make:
    def make(random: Random) -> tuple[str, Any, bool]:
        if random.random() < 0.5:
            return "write", (random.randint(1, 4),), True
        seen = random.choice([NOTHING, (1,), (2,), (2,), (3,), (4,)])
        return "read", seen, False

    return make


def greatest(state: Any, event: Event) -> list[Any]:
    if event.action == "write":
        return [max(state, event.value)]
    return [state] if event.value == state else []


def test_the_latest_point_is_judged_as_by_all_orders() -> None:
    """The greatest written so far, whatever its order of arrival; the same one may come twice."""
    agree(small_points, greatest, NOTHING, latest)


def small_sets(_seed: int) -> Make:
    def make(random: Random) -> tuple[str, Any, bool]:
        if random.random() < 0.55:
            return "write", random.randint(1, 3), True
        seen = [each for each in (1, 2, 3) if random.random() < 0.5]
        return "read", seen + seen[:1] * (random.random() < 0.02), False

    return make


def grown(state: Any, event: Event) -> list[Any]:
    if event.action == "write":
        return [state | {event.value}]
    return [state] if sorted(event.value) == sorted(state) else []


def test_a_set_that_grows_is_judged_as_by_all_orders() -> None:
    """Nothing lost, nothing invented, nothing twice, and all readers see one order of growth."""
    agree(small_sets, grown, frozenset(), growing)


def repeated_values(_seed: int) -> Make:
    def make(random: Random) -> tuple[str, Any, bool]:
        if random.random() < 0.5:
            return "write", random.randint(1, 2), True
        return "read", random.choice([None, 1, 2]), False

    return make


def test_a_search_for_an_order_finds_one_if_there_is_one() -> None:
    """A register whose values repeat; what is stuck could have come next by its times."""

    def find(events: Sequence[Event]) -> object:
        stuck = linearize(events, None, in_register)
        assert stuck is None or stuck.left
        return stuck

    agree(repeated_values, in_register, None, find)


def test_a_search_that_is_given_up_decides_nothing() -> None:
    """Too many states are no verdict."""
    events = [Event(n, 0, 10, "write", n) for n in range(12)]
    with pytest.raises(Undecided):
        linearize([*events, Event(12, 11, 12, "read", 99)], None, in_register, most=100)


def presences(changes: Sequence[Event], walk: Event) -> Iterator[set[bool]]:
    """Yield, for each choice of when the changes took effect, whether the row was there."""
    times = [
        [*range(2 * e.called, 2 * min(e.returned, 12) + 1), *([None] * (not e.sure))]
        for e in changes
    ]
    for chosen in product(*times):
        for tied in permutations(range(len(changes))):
            effects = sorted(
                (at, tie, e)
                for at, tie, e in zip(chosen, tied, changes, strict=True)
                if at is not None
            )
            seen = set()
            for instant in range(2 * walk.called - 1, 2 * walk.returned + 1):
                before = [e.action for at, _, e in effects if at <= instant]
                seen.add(bool(before) and before[-1] == "appear")
            yield seen


def test_a_row_that_was_there_throughout_is_on_one_page() -> None:
    """Missing, doubled and ghostly rows are found, and whatever else may be is let pass."""
    kinds = set()
    for seed in range(500):
        random = Random(seed)
        changes = [
            Event(n, at := random.randrange(5), random.choice([at + 1, at + 2, NEVER]), kind, "row")
            for n in range(random.randint(0, 3))
            for kind in [random.choice(["appear", "vanish"])]
        ]
        begin = random.randrange(1, 6)
        times = random.choice([0, 1, 1, 2])
        walk = Event(9, begin, begin + 1, "walk", ["row"] * times)
        seen = set().union(*presences(changes, walk), set())
        wrong = {0: seen == {True}, 1: seen <= {False}, 2: True}[times]
        clashes = pages([*changes, walk])
        assert bool(clashes) is wrong, (clashes, changes, walk)
        kinds |= {clash.kind for clash in clashes}
    assert kinds == {"missed", "ghost", "twice"}


def claims(_seed: int) -> Make:
    def make(random: Random) -> tuple[str, Any, bool]:
        return random.choice(["claim", "claim", "release"]), random.choice("ab"), True

    return make


def held(state: Any, event: Event) -> list[Any]:
    if event.action == "claim":
        return [event.value] if state in {None, event.value} else []
    return [None if state == event.value else state]


def test_two_who_hold_a_name_at_once_are_found() -> None:
    """No clash where an order exists; without releases, a clash wherever none does."""
    for seed in range(CASES):
        events = history(Random(seed), claims(seed))
        right = ordered(events, None, held)
        clashes = holders(events)
        assert not (right and clashes), (events, clashes)
        if all(event.action == "claim" for event in events):
            assert bool(clashes) is not right


def views(writers: Sequence[Sequence[int]]) -> Iterator[Seen]:
    """Yield all that a reader may see: after each writer wrote some, in any order."""
    for counts in product(*(range(len(tokens) + 1) for tokens in writers)):
        there = [token for tokens, n in zip(writers, counts, strict=True) for token in tokens[:n]]
        for last in {tokens[n - 1] for tokens, n in zip(writers, counts, strict=True) if n} or {0}:
            top = max(there, default=0)
            yield Seen((frozenset(there), frozenset(there)), (top, top), (last, last))


def test_a_part_of_a_batch_is_found_in_any_place() -> None:
    """Of all that might be read, what some order of whole batches gives passes, and no more."""
    tokens = [[11, 21], [12]]
    whole = {(s.everywhere, s.greatest, s.last) for s in views(tokens)}
    sets = [frozenset(each) for each in ([], [11], [12], [11, 12], [11, 21], [11, 12, 21], [21])]
    numbers = [0, 11, 12, 21]
    for first, second in product(sets, repeat=2):
        for values in product(numbers, repeat=4):
            seen = Seen((first, second), values[:2], values[2:])
            right = (seen.everywhere, seen.greatest, seen.last) in whole
            assert fractured(seen, lambda token: token % 10) is None or not right, seen
            if first != frozenset([21]):  # a gap in what one writer wrote is no part of a batch
                assert (fractured(seen, lambda token: token % 10) is None) is right, seen


def counted(seed: int) -> list[Event]:
    """Return two clients who count and read, one call after another, with what they saw."""
    random = Random(seed)
    events = []
    for client in (1, 2):
        number = 0
        for place in range(3):
            called = 3 * place + random.randrange(2)
            times = called, called + random.randint(0, 1)
            index = len(events)
            if random.random() < 0.4:
                number += 1
                events.append(Event(index, *times, "write", number, client))
            else:
                seen = {each: n for each in (1, 2) if (n := random.randrange(3))}
                events.append(Event(index, *times, "read", seen, client))
    return events


def guarantees(events: Sequence[Event]) -> set[str]:
    """Return which of the session guarantees are broken, by their definitions."""
    broken = set()
    for read in (event for event in events if event.action == "read"):
        mine = [e for e in events if e.client == read.client and e.called < read.called]
        for before in mine:
            if before.action == "write" and read.value.get(read.client, 0) < before.value:
                broken.add("read-your-writes")
            if before.action == "read" and any(
                read.value.get(c, 0) < n for c, n in before.value.items()
            ):
                broken.add("monotonic-reads")
        for write in (event for event in events if event.action == "write"):
            if read.value.get(write.client, 0) != write.value:
                continue
            for cause in (
                e for e in events if e.client == write.client and e.called < write.called
            ):
                seen = cause.value if cause.action == "read" else {cause.client: cause.value}
                if any(read.value.get(c, 0) < n for c, n in seen.items()):
                    broken.add("writes-follow-reads")
    return broken


def test_each_session_guarantee_is_judged_by_its_definition() -> None:
    """Read-your-writes, monotonic reads, and writes-follow-reads, found exactly where broken."""
    all_broken: set[str] = set()
    for seed in range(CASES):
        events = counted(seed)
        broken = guarantees(events)
        assert {clash.kind for clash in sessions(events)} == broken, events
        all_broken |= broken
    assert len(all_broken) == 3
