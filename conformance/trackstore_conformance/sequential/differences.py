"""Where two values first differ, and how any value is written in a program."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from math import isinf
from typing import Any

from msgspec import NODEFAULT, UNSET, Struct
from msgspec.structs import fields

from trackstore.model import Run
from trackstore_conformance.outcomes import UNORDERED, as_set, seen

REPEATED = 40
"""A text of one repeated code point that is longer is written as a product."""


class InNoOrder(tuple[Any, ...]):
    """Values that are compared as a set."""

    __slots__ = ()


class Difference(Struct, frozen=True):
    """The first place at which two values differ."""

    path: tuple[str, ...]
    """The way there, as it is written behind the value: ".metrics", "['loss']", ".step"."""
    expected: Any
    found: Any


def difference(expected: Any, found: Any, path: tuple[str, ...] = ()) -> Difference | None:
    """Return where the two first differ, types included, or None if they don't."""
    if seen(expected) == seen(found):
        return None
    for way, mine, theirs in parts(expected, found):
        deeper = difference(mine, theirs, (*path, way))
        if deeper is not None:
            return deeper
    return Difference(path, expected, found)


def parts(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield what two values of one shape have, each with the way there."""
    if isinstance(one, Struct) and type(one) is type(other):
        for field in fields(one):
            pair = getattr(one, field.name), getattr(other, field.name)
            if isinstance(one, Run) and field.name in UNORDERED:
                pair = in_no_order(pair[0]), in_no_order(pair[1])
            yield f".{field.name}", *pair
    elif isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        for key in one:
            yield f"[{source(key)}]", one[key], other[key]
    elif are_rows(one) and are_rows(other) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield f"[{place}]", *pair


def in_no_order(rows: Sequence[Any]) -> InNoOrder:
    return InNoOrder(sorted(rows, key=lambda row: as_set([row])))


def are_rows(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | InNoOrder)


def source(value: Any) -> str:
    """Return the expression that makes the value."""
    if isinstance(value, Struct):
        return f"{type(value).__name__}({', '.join(arguments(value))})"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, float):
        return "nan" if value != value else str(value) if isinf(value) else repr(value)
    if isinstance(value, str | bytes):
        repeated = len(value) > REPEATED and value == value[:1] * len(value)
        return f"{value[:1]!r} * {len(value):_}" if repeated else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{source(k)}: {source(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(source, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(source, value))}]"
    return "UNSET" if value is UNSET else repr(value)


def arguments(value: Struct) -> Iterator[str]:
    """Yield what is not as it would be by default; only what has no default goes without name."""
    for field in fields(value):
        given = getattr(value, field.name)
        if field.default is NODEFAULT and field.default_factory is NODEFAULT:
            yield source(given)
        elif given != default_of(field):
            yield f"{field.name}={source(given)}"


def default_of(field: Any) -> Any:
    return field.default if field.default is not NODEFAULT else field.default_factory()
