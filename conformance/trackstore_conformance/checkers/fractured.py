"""Batches that each put one token in many places: a reader sees all of a batch or nothing of it."""

from collections.abc import Callable, Collection

from msgspec import Struct


class Seen(Struct, frozen=True):
    """What one read shows; tokens are numbers that each writer counts up."""

    everywhere: tuple[Collection[int], ...]
    """Places that keep the tokens of all batches."""
    greatest: tuple[int, ...] = ()
    """Places that keep the greatest token."""
    last: tuple[int, ...] = ()
    """Places that keep the token that came last."""


def fractured(seen: Seen, writer_of: Callable[[int], int]) -> str | None:
    """Return what is torn apart, if something is."""
    first, *others = seen.everywhere
    for other in others:
        torn = set(first) ^ set(other)
        if torn:
            return f"token {min(torn)} is in one place, and not in another"
    if any(token != max(first, default=0) for token in seen.greatest):
        return f"{seen.greatest} are the greatest where {max(first, default=0)} is written"
    if len(set(seen.last)) > 1:
        return f"{seen.last} are there at once"
    for token in seen.last[:1]:
        newest = max((each for each in first if writer_of(each) == writer_of(token)), default=None)
        if first and token != newest:
            return f"{token} is the last, and {newest} of its writer is written"
        if not first and token:
            return f"{token} is the last, and nothing is written"
    return None
