"""What a query means.

`search_by_scan` is the fallback for stores that cannot search, and the reference that the
conformance suite compares every pushed-down search with (B-SRC-01).
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import nsmallest
from typing import Any, TypeVar

from trackstore.abilities import SearchesRuns
from trackstore.filters import RUN_NUMBERS
from trackstore.model import (
    DATASET_CONTEXT,
    Comparison,
    Experiment,
    ExperimentCursor,
    ExperimentQuery,
    OrderBy,
    Page,
    Run,
    RunCursor,
    RunQuery,
    SearchCursor,
    SortValue,
)
from trackstore.stores import BackendStore

T = TypeVar("T", Run, Experiment)

SCAN_PAGE = 1_000
NUMBERS = frozenset({*RUN_NUMBERS, "creation_time", "last_update_time"})

_UPPER_TO_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def search_runs(
    store: BackendStore, query: RunQuery, after: SearchCursor | None, limit: int
) -> Page[Run, SearchCursor]:
    """Return a page of the runs that `query` describes, by the store itself if it can."""
    if isinstance(store, SearchesRuns):
        return store.search_runs(query, after, limit)
    return search_by_scan(store, query, after, limit)


def search_by_scan(
    store: BackendStore, query: RunQuery, after: SearchCursor | None, limit: int
) -> Page[Run, SearchCursor]:
    """Return a page of the runs that `query` describes, by reading all runs."""
    wanted = dict.fromkeys(query.experiment_ids)
    runs = (run for experiment_id in wanted for run in _scan_runs(store, experiment_id, query))
    return _page(runs, query.where, query.order_by, after, limit)


def search_experiments(
    store: BackendStore, query: ExperimentQuery, after: SearchCursor | None, limit: int
) -> Page[Experiment, SearchCursor]:
    """Return a page of the experiments that `query` describes, by reading all experiments."""
    return _page(_scan_experiments(store, query), query.where, query.order_by, after, limit)


def is_cursor(cursor: Sequence[object], order_by: Sequence[OrderBy]) -> bool:
    """Tell whether `cursor` can have come from a search with this order."""
    types = [_sort_types(order) for order in order_by]
    types += [(int,), (str,)]
    return len(cursor) == len(types) and all(
        type(value) in allowed for value, allowed in zip(cursor, types, strict=True)
    )


def _sort_types(order: OrderBy) -> tuple[type, ...]:
    if order.entity == "metric":
        return float, type(None)
    if order.entity == "attribute" and order.key in NUMBERS:
        return int, type(None)
    return str, type(None)


def _scan_runs(store: BackendStore, experiment_id: str, query: RunQuery) -> Iterator[Run]:
    after: RunCursor | None = None
    while True:
        page = store.scan_runs(experiment_id, query.stage, after, SCAN_PAGE)
        yield from page.items
        if (after := page.next) is None:
            return


def _scan_experiments(store: BackendStore, query: ExperimentQuery) -> Iterator[Experiment]:
    after: ExperimentCursor | None = None
    while True:
        page = store.scan_experiments(query.stage, after, SCAN_PAGE)
        yield from page.items
        if (after := page.next) is None:
            return


def _page(
    found: Iterable[T],
    where: Sequence[Comparison],
    order_by: Sequence[OrderBy],
    after: SearchCursor | None,
    limit: int,
) -> Page[T, SearchCursor]:
    start = None if after is None else _rank(after, order_by)
    ranked = (
        (rank, cursor, item)
        for item in found
        if all(matches(item, clause) for clause in where)
        for cursor in [_cursor(item, order_by)]
        for rank in [_rank(cursor, order_by)]
        if start is None or rank > start
    )
    rows = nsmallest(limit + 1, ranked, key=lambda row: row[0])
    more = len(rows) > limit
    return Page([item for _, _, item in rows[:limit]], rows[limit - 1][1] if more else None)


def _cursor(item: Run | Experiment, order_by: Sequence[OrderBy]) -> SearchCursor:
    values = [_sort_value(item, order) for order in order_by]
    start = item.start_time if isinstance(item, Run) else item.creation_time
    return *values, start, item.id


def _sort_value(item: Run | Experiment, order: OrderBy) -> SortValue:
    found = next(_values(item, order.entity, order.key), None)
    return str(found) if isinstance(found, str) else found


def _rank(cursor: SearchCursor, order_by: Sequence[OrderBy]) -> tuple[Any, ...]:
    """Return what a row sorts by: its fields, then newest first, then its id."""
    ranks = [
        field_rank(value, descending=order.descending)
        for value, order in zip(cursor, order_by, strict=False)
    ]
    newest_first, ident = cursor[-2:]
    return *ranks, -newest_first, ident  # type: ignore[operator]  # checked by is_cursor


def field_rank(value: SortValue, *, descending: bool) -> tuple[Any, ...]:
    """Return what one field sorts by: values, then NaN, then missing ones, in both directions."""
    if value is None:
        return (2,)
    if value != value:  # noqa: PLR0124 - NaN
        return (1,)
    if isinstance(value, str):
        return 0, _Reversed(value) if descending else value
    return 0, -value if descending else value


class _Reversed:
    """Text that sorts the other way round."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and self.text == other.text

    def __lt__(self, other: "_Reversed") -> bool:
        return other.text < self.text

    __hash__ = None  # type: ignore[assignment]


def matches(item: Run | Experiment, clause: Comparison) -> bool:
    """Tell whether a clause holds, as `holds` does."""
    return holds(clause, _values(item, clause.entity, clause.key))


def holds(clause: Comparison, values: Iterator[Any]) -> bool:
    """Tell whether a clause holds for a field's value, or for one of several.

    A field that is missing satisfies only IS NULL, and of a NaN only `!=` is true.
    """
    if clause.operator == "IS NULL":
        return next(values, None) is None
    if clause.operator == "IS NOT NULL":
        return next(values, None) is not None
    compare = COMPARE[clause.operator]
    return any(compare(value, clause.value) for value in values)


def _values(item: Run | Experiment, entity: str, key: str) -> Iterator[Any]:
    """Yield the values of a field: none, one, or for datasets one for each input."""
    if entity == "tag":
        value: object = item.tags.get(key)
    elif entity == "attribute":
        value = getattr(item, {"run_id": "id", "experiment_id": "id"}.get(key, key))
    elif isinstance(item, Experiment):
        value = None
    elif entity == "dataset":
        yield from _dataset_values(item, key)
        return
    elif entity == "metric":
        point = item.metrics.get(key)
        value = None if point is None else point.value
    else:
        value = item.params.get(key)
    if value is not None:
        yield value


def _dataset_values(run: Run, key: str) -> Iterator[str]:
    for read in run.inputs:
        if key != "context":
            yield read.dataset.name if key == "name" else read.dataset.digest
        elif DATASET_CONTEXT in read.tags:
            yield read.tags[DATASET_CONTEXT]


def like(value: str, pattern: str) -> bool:
    """Match by code points: `%` is any text, `_` any one code point; nothing escapes them.

    Each part between two `%` is taken at its first place, so the time is at most that of
    comparing every part at every place, whatever the pattern.
    """
    head, *rest = _like_parts(pattern)
    if not rest:
        return head.fullmatch(value) is not None
    *middle, tail = rest
    first, *_, last = pattern.split("%")
    start, end = len(first), len(value) - len(last)
    if start > end or not head.match(value) or not tail.match(value, end):
        return False
    for part in middle:
        found = part.search(value, start, end)
        if found is None:
            return False
        start = found.end()
    return True


@lru_cache(maxsize=1024)
def _like_parts(pattern: str) -> list[re.Pattern[str]]:
    parts = (re.escape(part).replace("_", ".") for part in pattern.split("%"))
    return [re.compile(part, re.DOTALL) for part in parts]


def ilike(value: str, pattern: str) -> bool:
    """Match as `like` does, with A to Z equal to a to z, and no other letter folded."""
    return like(value.translate(_UPPER_TO_LOWER), pattern.translate(_UPPER_TO_LOWER))


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "LIKE": like,
    "ILIKE": ilike,
    "IN": lambda value, options: value in options,
    "NOT IN": lambda value, options: value not in options,
}
