"""Make a program that fails smaller, as long as it still fails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from trackstore_conformance.sequential.differences import default_of
from trackstore_conformance.sequential.program import Step

SECONDS = 10.0

StillFails = Callable[[Sequence[Step]], Sequence[Step] | None]
"""Run the steps and return those up to the one that failed, or None if none did."""


def reduced(steps: Sequence[Step], still_fails: StillFails) -> Sequence[Step]:
    """Return the fewest steps, and the simplest, that were found to fail in `SECONDS`."""
    until = monotonic() + SECONDS
    before: Sequence[Step] | None = None
    while before != steps and monotonic() < until:
        before = steps
        for candidates in (without_some, simpler_steps):
            steps = first_that_fail(steps, candidates, still_fails, until)
    return steps


def first_that_fail(
    steps: Sequence[Step],
    candidates: Callable[[Sequence[Step], int], Sequence[Step] | None],
    still_fails: StillFails,
    until: float,
) -> Sequence[Step]:
    """Try candidate after candidate, and go on from each that fails too."""
    number = 0
    while (smaller := candidates(steps, number)) is not None and monotonic() < until:
        found = still_fails(smaller)
        if found is None:
            number += 1
        else:
            steps = found
    return steps


def without_some(steps: Sequence[Step], number: int) -> Sequence[Step] | None:
    """Leave out the first half of the calls before the last, the second, the first quarter..."""
    length, size = len(steps) - 1, len(steps) - 1
    while size > 0:
        places = -(-length // size)
        if number < places:
            at = number * size
            return [*steps[:at], *steps[min(at + size, length) :]]
        number -= places
        size //= 2
    return None


def simpler_steps(steps: Sequence[Step], number: int) -> Sequence[Step] | None:
    for place, step in enumerate(steps):
        for args in simpler_arguments(step.args):
            if number == 0:
                return [*steps[:place], replace(step, args=args), *steps[place + 1 :]]
            number -= 1
        if step.handle != "store":
            if number == 0:
                return [*steps[:place], replace(step, handle="store"), *steps[place + 1 :]]
            number -= 1
    return None


def simpler_arguments(args: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for place, value in enumerate(args):
        if isinstance(value, Struct):
            for simpler in simpler_structs(value):
                yield (*args[:place], simpler, *args[place + 1 :])


def simpler_structs(value: Struct) -> Iterator[Struct]:
    """Yield the value with one field as it is by default, or with less in it."""
    for field in fields(value):
        given = getattr(value, field.name)
        optional = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
        if not optional or given == default_of(field):
            continue
        yield replace(value, **{field.name: default_of(field)})
        for less in fewer(given):
            yield replace(value, **{field.name: less})


def fewer(given: Any) -> Iterator[Any]:
    """Yield halves of many, and few without one of them."""
    if isinstance(given, Mapping):
        items = list(given.items())
        yield from (dict(less) for less in fewer(items))
    elif isinstance(given, list | tuple) and len(given) > 1:
        half = len(given) // 2
        yield from (given[:half], given[half:])
        if 2 < len(given) <= 8:
            yield from ([*given[:at], *given[at + 1 :]] for at in range(len(given)))
