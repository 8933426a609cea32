"""The points of one key of a run, which are read from the journal when they are asked for."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock

from msgspec import Struct, field

from trackstore.model import (
    Metric,
    MetricCursor,
    MetricLink,
    Page,
    from_order_image,
    order_image,
)
from trackstore_backends.records.journal import Journal
from trackstore_backends.records.operations import KeepPoints, Log, Point, decoded
from trackstore_backends.state import PointId

_KEPT = 200_000
"""How many points are kept in memory for the pages to come; always those of the last key read."""


class Points(Struct, frozen=True):
    """The points that the first `seen` places hold."""

    seen: int = 0
    order: list[PointId] = field(default_factory=list)
    links: dict[PointId, tuple[MetricLink, ...]] = field(default_factory=dict)
    """Of those points that have any."""


class Histories:
    """Points that were read lately, so that a page does not read all of them again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, bytes, str, str], Points] = OrderedDict()

    def read(self, journal: Journal, view: str, run_id: str, key: str, places: bytes) -> Points:
        """Return the points of a key, given the starts of the frames that have some.

        What was read for one view is of no use to another, which may have seen a frame undone.
        """
        name = view, places[:8], run_id, key
        with self._lock:
            points = self._kept.get(name, Points())
        if points.seen < len(places):
            points = _extended(points, journal, run_id, key, places)
        with self._lock:
            self._kept[name] = points
            self._kept.move_to_end(name)
            while len(self._kept) > 1 and sum(len(p.order) for p in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
        return points


def page_of(
    points: Points, key: str, after: MetricCursor | None, limit: int
) -> Page[Metric, MetricCursor]:
    order = points.order
    start = None if after is None else (after[0], after[1], order_image(after[2]))
    begin = 0 if start is None else bisect_right(order, start)
    found = [
        Metric(key, from_order_image(point[2]), point[1], point[0], points.links.get(point, ()))
        for point in order[begin : begin + limit]
    ]
    last = found[-1] if len(order) > begin + limit else None
    return Page(found, None if last is None else (last.step, last.timestamp, last.value))


def points_of_run(
    journal: Journal, run_id: str, places: Iterable[bytes | bytearray]
) -> Iterator[Point]:
    """Yield all points of a run, in the order of the journal."""
    for start in sorted({start for each in places for start in memoryview(each).cast("Q")}):
        for operation in decoded(journal.frame(start).payload):
            if isinstance(operation, Log | KeepPoints) and operation.run_id == run_id:
                yield from operation.points


def _extended(points: Points, journal: Journal, run_id: str, key: str, places: bytes) -> Points:
    """Return the points with those of the places that are not seen yet."""
    found: list[PointId] = []
    links = dict(points.links)
    for name, value, timestamp, step, about in points_of_run(
        journal, run_id, [places[points.seen :]]
    ):
        if name != key:
            continue
        point = step, timestamp, order_image(value)
        found.append(point)
        if about:
            links[point] = tuple(sorted({*links.get(point, ()), *about}))
    order = sorted({*points.order, *found})
    return Points(len(places), order, links)
