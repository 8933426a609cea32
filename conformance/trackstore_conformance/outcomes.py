"""How a call came out, in a form that two stores can be compared by."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from trackstore.errors import AlreadyExists, TrackstoreError
from trackstore.model import Run
from trackstore_conformance.sequential.model import Refused

PLAIN = frozenset({str, int, type(None)})
UNORDERED = ("inputs", "model_inputs", "outputs")
"""What a run has as a set: the contract gives it no order."""


class Outcome(Struct, frozen=True):
    """The ways in which a call ended, or may end, and what it returned."""

    ways: tuple[str, ...]
    value: Any = None
    """What was returned, as `seen`."""
    raw: Any = None
    message: str = ""
    cause: str = ""


def outcome(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Outcome:
    """Return how the call came out.

    An exception outside `trackstore.errors` passes through: no store may raise one (B-ERR-01).
    """
    try:
        value = call(*args, **kwargs)
        return Outcome(("ok",), seen(value), value)
    except Refused as refused:
        return Outcome(refused.ways)
    except TrackstoreError as error:
        return Outcome((way_of(error),), message=str(error), cause=repr(error.__cause__))


def way_of(error: TrackstoreError) -> str:
    """Name an error by its class in the contract, and by what else a caller relies on."""
    name = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "trackstore.errors")
    if isinstance(error, AlreadyExists):
        name += f" {error.field}"
    return name if error.outcome == "none" else f"{name}, outcome {error.outcome}"


def seen(value: object) -> Any:
    """Return `value` with its types to be compared too, and every NaN equal to every other."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Struct):
        shown = {name: seen(getattr(value, name)) for name in value.__struct_fields__}
        if isinstance(value, Run):
            shown |= {name: as_set(getattr(value, name)) for name in UNORDERED}
        return {"type": type(value).__name__, **shown}
    if isinstance(value, Mapping):
        return {key: seen(each) for key, each in value.items()}
    if isinstance(value, float):
        return "float nan" if value != value else f"float {value + 0.0!r}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [seen(each) for each in value]
    return f"{type(value).__name__} {value}"


def as_set(rows: Sequence[object]) -> list[str]:
    """Return the rows in one order, whatever theirs was; one that is twice there stays so."""
    return sorted(repr(sort_keys(seen(row))) for row in rows)


def sort_keys(shown: Any) -> Any:
    if isinstance(shown, dict):
        return {key: sort_keys(shown[key]) for key in sorted(shown)}
    return [sort_keys(each) for each in shown] if isinstance(shown, list) else shown
