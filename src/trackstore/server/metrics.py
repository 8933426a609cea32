"""Metric histories, whole and thinned out for charts."""

from collections.abc import Callable, Iterator
from itertools import chain, islice

from trackstore import limits
from trackstore.errors import InvalidRequest
from trackstore.limits import check_page, check_size
from trackstore.model import Metric
from trackstore.tracker import Tracker
from trackstore.wire import replies, requests
from trackstore.wire.replies import encode

MOST_RUNS = 100
MOST_PER_RUN = 2_500


def history(tracker: Tracker, asked: requests.GetHistory) -> bytes:
    """A page may be shorter than was asked for: the token leads on."""
    asked_for = limits.HISTORY_PAGE if asked.max_results is None else asked.max_results
    found = tracker.metric_history(
        asked.run,
        asked.metric_key,
        limit=min(asked_for, limits.HISTORY_PAGE),
        page_token=asked.page_token,
    )
    return encode(replies.page("metrics", found, [replies.point(each) for each in found.items]))


def history_bulk(tracker: Tracker, asked: requests.GetHistoryBulk) -> bytes:
    check_size("run_id", asked.run_id, MOST_RUNS)
    most = limits.HISTORY_PAGE if asked.max_results is None else asked.max_results
    points = chain.from_iterable(
        replies.points_of(run_id, tracker.iter_metric_history(run_id, asked.metric_key))
        for run_id in asked.run_id
    )
    check_page(most, limits.HISTORY_PAGE)
    return encode({"metrics": list(islice(points, most))})


def history_interval(tracker: Tracker, asked: requests.GetHistoryInterval) -> bytes:
    check_size("run_ids", asked.run_ids, MOST_RUNS)
    most = check_page(
        MOST_PER_RUN if asked.max_results is None else asked.max_results, MOST_PER_RUN
    )
    is_inside = _interval(asked.start_step, asked.end_step)
    found = [
        point
        for run_id in asked.run_ids
        for point in replies.points_of(
            run_id, _thinned(_points(tracker, run_id, asked.metric_key, is_inside), most)
        )
    ]
    return encode({"metrics": found} if found else {})


def _interval(start: int | None, end: int | None) -> Callable[[Metric], bool]:
    if start is None and end is None:
        return lambda _: True
    if start is None or end is None:
        raise InvalidRequest(
            "If either start step or end step are specified, both must be specified."
        )
    if start > end:
        raise InvalidRequest(
            "end_step must be greater than start_step. "
            f"Found start_step={start} and end_step={end}."
        )
    return lambda point: start <= point.step <= end


def _points(
    tracker: Tracker, run_id: str, key: str, is_inside: Callable[[Metric], bool]
) -> Callable[[], Iterator[Metric]]:
    return lambda: filter(is_inside, tracker.iter_metric_history(run_id, key))


def _thinned(points: Callable[[], Iterator[Metric]], most: int) -> list[Metric]:
    """Return at most `most` points, evenly spread, always with the last.

    They are read twice, to count and to pick, so that a long history is never held in memory.
    """
    wanted = positions(sum(1 for _ in points()), most)
    return [point for number, point in enumerate(points()) if number in wanted]


def positions(count: int, most: int) -> frozenset[int]:
    """Return the first position of each of `most` nearly equal parts, and for the last its end.

    The larger parts come first, as NTILE makes them.
    """
    if count <= most:
        return frozenset(range(count))
    size, larger = divmod(count, most)
    first = (part * size + min(part, larger) for part in range(most - 1))
    return frozenset((*first, count - 1))
