"""A value that is written once: the same again is fine, another is a conflict; O(n)."""

from collections.abc import Hashable, Iterable, Sequence

from trackstore_conformance.checkers.events import Clash, Event, first_called, first_returned, of


def write_once(events: Sequence[Event]) -> Clash | None:
    """Judge "write", "read" (None: absent), "conflict", and "refused" for another reason.

    A "conflict" is a write that was refused because another value is there.
    """
    shown = [e for e in of(events, "write") if e.sure]
    shown += [e for e in of(events, "read") if e.value is not None]
    values = {event.value: event for event in shown}
    if len(values) > 1:
        one, other = list(values.values())[:2]
        why = f"{said(one)}, and {said(other)}"
        return Clash("two values", why, tuple(sorted((one.index, other.index))))
    candidates = list(values) or unsure_values(events)
    if not candidates:
        return never_written(events)
    clashes = [clash_of(events, value) for value in candidates]
    return None if None in clashes else clashes[0]


def said(event: Event) -> str:
    ending = "was accepted" if event.action == "write" else "was read"
    return f"{event.value!r} {ending}"


def unsure_values(events: Iterable[Event]) -> list[Hashable]:
    conflicts = of(events, "conflict")
    return list({e.value: None for e in of(events, "write")}) if conflicts else []


def never_written(events: Iterable[Event]) -> Clash | None:
    conflicts = of(events, "conflict")
    if not conflicts:
        return None
    calls = tuple(event.index for event in conflicts)
    return Clash("no winner", "all who wrote were refused, and nobody won", calls)


def clash_of(events: Sequence[Event], value: Hashable) -> Clash | None:
    """Return what is wrong if `value` is the one that was written.

    It was written at one instant: not before a write of it was called, nor before a reader who
    missed it was, and at the latest when the first call that shows it returned.
    """
    writes = [e for e in of(events, "write") if e.value == value]
    conflicts = of(events, "conflict")
    same = [e for e in conflicts if e.value == value]
    if same:
        why = f"a second write of {value!r} was refused, as if it were another value"
        return Clash("same refused", why, tuple(e.index for e in same))
    proofs = [e for e in [*writes, *of(events, "read")] if e.value == value and e.sure]
    if not writes:
        return unwritten(events, value, proofs)
    begins = first_called(writes)
    return too_late(value, begins, [*proofs, *conflicts], absent(events))


def absent(events: Iterable[Event]) -> list[Event]:
    return [e for e in of(events, "read") if e.value is None]


def unwritten(events: Sequence[Event], value: Hashable, proofs: Sequence[Event]) -> Clash:
    refused = [e for e in of(events, "refused", "conflict") if e.value == value]
    if refused:
        calls = (refused[0].index, proofs[0].index)
        return Clash("refused", f"{value!r} was read, whose write was refused", calls)
    return Clash("unwritten", f"{value!r} was read, which nobody wrote", (proofs[0].index,))


def too_late(
    value: Hashable, begins: Event, proofs: Sequence[Event], missed: Sequence[Event]
) -> Clash | None:
    if not proofs:
        return None
    ends = first_returned(proofs)
    if begins.called > ends.returned:
        why = f"{value!r} had its effect before it was written"
        return Clash("unwritten", why, (ends.index, begins.index))
    late = max(missed, key=lambda e: e.called, default=None)
    if late is not None and late.called > ends.returned:
        why = f"nothing was read after {value!r} was there"
        return Clash("lost", why, (ends.index, late.index))
    return None
