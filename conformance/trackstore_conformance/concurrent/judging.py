"""Find the objects in a history, and judge each by its checker: which rule is broken, and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from trackstore_conformance.checkers.events import Clash, Event
from trackstore_conformance.checkers.linear import Stuck
from trackstore_conformance.concurrent.recording import RAISED
from trackstore_conformance.history import NEVER, Call, History

Calls = Sequence[tuple[int, Call]]
"""The calls of a history with their numbers."""
Judge = Callable[[History], Iterable["Finding"]]


class Finding(Struct, frozen=True):
    """A rule that a history shows broken."""

    rule: str
    witness: str
    """A sentence without its end: what was seen that can't be."""
    calls: tuple[int, ...]
    """Which calls of the history prove it."""


def calls_of(history: History, *operations: str) -> list[tuple[int, Call]]:
    return [(i, call) for i, call in enumerate(history.calls) if call.operation in operations]


def happened(call: Call) -> bool:
    """Tell if the call had its effect, or may have."""
    return call.way in {"ok", "unknown"}


def event(
    numbered: tuple[int, Call], action: str, value: Any = None, *, sure: bool = True
) -> Event:
    index, call = numbered
    returned = call.returned if sure and call.way != "unknown" else NEVER
    return Event(index, call.called, returned, action, value, call.client)


def rule_by_kind(
    clashes: Iterable[Clash | None], rules: Mapping[str, str], other: str, subject: str
) -> Iterator[Finding]:
    """Yield a finding for each clash; `rules` has the rule of each kind, or `other` is broken."""
    for clash in clashes:
        if clash is not None:
            rule = rules.get(clash.kind, other)
            yield Finding(rule, f"{subject}: {clash.why}", clash.calls)


def surprises(
    history: History, expected: Mapping[str, Sequence[str]], rules: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield the calls that ended in a way in which no call of their kind may.

    `expected` has the ways beside "ok" of each operation, and `rules` the rule that another error
    breaks; an exception outside of the contract always breaks that on errors.
    """
    for index, call in enumerate(history.calls):
        if call.way in {"ok", "unknown", *expected.get(call.operation, ())}:
            continue
        foreign = call.way.startswith(RAISED)
        name = call.way.removeprefix(RAISED)
        rule = foreign_rule(call) if foreign else rules.get(call.operation, "B-CON-02")
        yield Finding(rule, f"{shown(call)} ended by {name}: {call.value}", (index,))


def foreign_rule(call: Call) -> str:
    return "A-ERR-01" if "root" in call.arguments else "B-ERR-01"


def shown(call: Call) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.operation.replace('_', ' ')} ({given}) of client {call.client}"


def no_order(subject: str, stuck: Stuck, history: History) -> str:
    """Say which calls could not come next where the search came farthest."""
    calls = [history.calls[each.index] for each in stuck.left]
    ends = [
        f"{shown(call)} -> {call.way if call.value is None else call.value!r:.80}" for call in calls
    ]
    return f"{subject}: in no order can all come out as they did; stuck at {'; '.join(ends[:3])}"


def indices(stuck: Stuck) -> tuple[int, ...]:
    return tuple(event.index for event in stuck.left)
