"""Histories in bulk: as columns, and thinned out for charts.

A store that has the ability answers itself; for any other the answer is made of the pages of its
`metric_history`.  The two never differ: what is made of pages is what the contract means.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from trackstore import limits
from trackstore.abilities import DownsamplesHistory, ReadsColumns
from trackstore.model import Metric, MetricColumns, MetricCursor, Page
from trackstore.stores import BackendStore

Ranked = tuple[int, Metric]
"""A point and its place in the history."""


def metric_columns(
    store: BackendStore, run_id: str, key: str, after: MetricCursor | None, limit: int
) -> MetricColumns[MetricCursor]:
    """Return a page of a history as columns."""
    if isinstance(store, ReadsColumns):
        return store.metric_columns(run_id, key, after, limit)
    return columns_by_pages(store, run_id, key, after, limit)


def columns_by_pages(
    store: BackendStore, run_id: str, key: str, after: MetricCursor | None, limit: int
) -> MetricColumns[MetricCursor]:
    """Return a page of a history as columns, made of pages that any store can give."""
    points: list[Metric] = []
    while True:
        page = store.metric_history(
            run_id, key, after, min(limit - len(points), limits.HISTORY_PAGE)
        )
        points += page.items
        after = page.next
        if after is None or len(points) >= limit:
            return columns_of(points, after)


def columns_of(
    points: Iterable[Metric], following: MetricCursor | None = None
) -> MetricColumns[MetricCursor]:
    """Return points of one key as columns."""
    columns: MetricColumns[MetricCursor] = MetricColumns(
        array("q"), array("q"), array("d"), following
    )
    for point in points:
        columns.steps.append(point.step)
        columns.timestamps.append(point.timestamp)
        columns.values.append(point.value)
    return columns


def downsample(
    store: BackendStore, run_id: str, key: str, steps: tuple[int, int], most: int
) -> MetricColumns[MetricCursor]:
    """Return at most `most` points that stand for those from one step to another."""
    if isinstance(store, DownsamplesHistory):
        return store.downsample_history(run_id, key, steps, most)
    return downsample_by_pages(store, run_id, key, steps, most)


def downsample_by_pages(
    store: BackendStore, run_id: str, key: str, steps: tuple[int, int], most: int
) -> MetricColumns[MetricCursor]:
    """Return what a chart needs, made of pages that any store can give.

    They are read twice, to count and to choose, so that they are never all in memory.
    """

    def points() -> Iterator[Metric]:
        return _points(store, run_id, key, *steps)

    count = sum(1 for _ in points())
    if count <= most:
        return columns_of(points())
    chosen = _chosen(points, count, (most - 2) // 2)
    return columns_of(chosen[place] for place in sorted(chosen))


def _points(
    store: BackendStore, run_id: str, key: str, first_step: int, last_step: int
) -> Iterator[Metric]:
    after: MetricCursor | None = None
    if first_step > limits.MIN_INT64:
        after = (first_step - 1, limits.MAX_INT64, float("inf"))
    while True:
        page: Page[Metric, MetricCursor] = store.metric_history(
            run_id, key, after, limits.HISTORY_PAGE
        )
        for point in page.items:
            if point.step > last_step:
                return
            yield point
        if (after := page.next) is None:
            return


def _chosen(points: Callable[[], Iterator[Metric]], count: int, buckets: int) -> dict[int, Metric]:
    """Return the points to draw by their places: both ends, and two of each bucket."""

    def bucket(ranked: Ranked) -> int:
        place = min(ranked[0], count - 1)  # a point may have been added since they were counted
        return ((place + 1) * buckets - 1) // count

    chosen: dict[int, Metric] = {}
    last: Ranked | None = None
    for _, members in groupby(enumerate(points()), bucket):
        first, last, *two = _extremes(members)
        if not chosen:
            chosen[0] = first[1]
        chosen.update(two if buckets else ())
    if last is not None:
        chosen[last[0]] = last[1]
    return chosen


def _extremes(members: Iterator[Ranked]) -> tuple[Ranked, Ranked, Ranked, Ranked]:
    """Return the first and the last of some points, and of their numbers the least and greatest.

    Without a number these two are the first point.
    """
    first = last = least = greatest = next(members)
    for last in members:
        value = last[1].value
        if value < least[1].value or _is_first_number(value, least):
            least = last
        if value > greatest[1].value or _is_first_number(value, greatest):
            greatest = last
    return first, last, least, greatest


def _is_first_number(value: float, found: Ranked) -> bool:
    known = found[1].value
    return known != known and value == value  # noqa: PLR0124 - that is, NaN and no NaN
