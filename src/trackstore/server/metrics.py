"""Metric histories, whole and thinned out for charts."""

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
    """Of each run the points that draw as all would: its first, its last and its extremes."""
    check_size("run_ids", asked.run_ids, MOST_RUNS)
    most = check_page(
        MOST_PER_RUN if asked.max_results is None else asked.max_results, MOST_PER_RUN
    )
    _check_interval(asked.start_step, asked.end_step)
    found = [
        point
        for run_id in asked.run_ids
        for point in replies.points_of(run_id, _thinned(tracker, run_id, asked, most))
    ]
    return encode({"metrics": found} if found else {})


def _check_interval(start: int | None, end: int | None) -> None:
    if (start is None) != (end is None):
        raise InvalidRequest(
            "If either start step or end step are specified, both must be specified."
        )
    if start is not None and end is not None and start > end:
        raise InvalidRequest(
            "end_step must be greater than start_step. "
            f"Found start_step={start} and end_step={end}."
        )


def _thinned(
    tracker: Tracker, run_id: str, asked: requests.GetHistoryInterval, most: int
) -> list[Metric]:
    found = tracker.downsample_metric(
        run_id,
        asked.metric_key,
        points=max(most, 2),
        first_step=asked.start_step,
        last_step=asked.end_step,
    )
    rows = zip(found.values, found.timestamps, found.steps, strict=True)
    return [Metric(asked.metric_key, *row) for row in rows][-most:]
