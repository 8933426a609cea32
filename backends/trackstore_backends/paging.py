"""What stores that keep rows in memory need for pages and partial changes."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import UnsetType

T = TypeVar("T")


def page(
    found: Iterable[T], key: Callable[[T], Any], start: Any, limit: int
) -> tuple[list[T], bool]:
    """Return the `limit` rows that follow `start` in the order of `key`, and if there are more."""
    rows = sorted(found, key=key)
    begin = 0 if start is None else bisect_right(rows, start, key=key)
    return rows[begin : begin + limit], len(rows) > begin + limit


def given(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new
