"""The front's calls that read the history of a metric; `Tracker` has them all."""

from collections.abc import Iterator
from typing import cast

from msgspec.structs import replace

from trackstore import history, limits, paging, validation
from trackstore.errors import InvalidRequest
from trackstore.limits import check_int64, check_page
from trackstore.model import Metric, MetricColumns, MetricCursor, Page, SearchCursor
from trackstore.stores import BackendStore
from trackstore.validation import check_id

Query = tuple[str, str, str]


class Histories:
    """Reads the points of a run, a page at a time, as columns, or thinned out for a chart."""

    store: BackendStore

    def metric_history(
        self,
        run_id: str,
        key: str,
        *,
        limit: int = limits.HISTORY_PAGE,
        page_token: str | None = None,
    ) -> Page[Metric, str]:
        """Return a page of a metric's points, by (step, timestamp, value); `limit` <= 25,000."""
        query = _query(run_id, key)
        after = _after(page_token, query)
        check_page(limit, limits.HISTORY_PAGE)
        return paging.tokened(self.store.metric_history(run_id, key, after, limit), query)

    def iter_metric_history(self, run_id: str, key: str) -> Iterator[Metric]:
        """Yield all points of a metric, a page at a time."""
        token = None
        while True:
            page = self.metric_history(run_id, key, page_token=token)
            yield from page.items
            if (token := page.next) is None:
                return

    def metric_columns(
        self,
        run_id: str,
        key: str,
        *,
        limit: int = limits.COLUMNS_PAGE,
        page_token: str | None = None,
    ) -> MetricColumns[str]:
        """Return the same page as columns, without links; `limit` <= 250,000.

        The columns are arrays of int64, int64 (ms) and double, which numpy reads as they are.
        Tokens of `metric_history` lead on here, and the other way round.
        """
        query = _query(run_id, key)
        after = _after(page_token, query)
        check_page(limit, limits.COLUMNS_PAGE)
        found = history.metric_columns(self.store, run_id, key, after, limit)
        token = None if found.next is None else paging.encode_token(found.next, query)
        return cast("MetricColumns[str]", replace(found, next=token))

    def iter_metric_columns(self, run_id: str, key: str) -> Iterator[MetricColumns[str]]:
        """Yield all points of a metric as columns, a page at a time."""
        token = None
        while True:
            page = self.metric_columns(run_id, key, page_token=token)
            yield page
            if (token := page.next) is None:
                return

    def downsample_metric(
        self,
        run_id: str,
        key: str,
        *,
        points: int = 320,
        first_step: int | None = None,
        last_step: int | None = None,
    ) -> MetricColumns[str]:
        """Return at most `points` points, 2 to 25,000, that draw as all of them would.

        These are the first and the last point, and the least and greatest value of each of
        (points - 2) // 2 buckets that have equally many points.  NaN is neither; a bucket of NaN
        alone gives its first.  Fewer points are returned as they are.  `first_step` and
        `last_step`, both included, take a part of the history.
        """
        _, run_id, key = _query(run_id, key)
        first = (
            limits.MIN_INT64 if first_step is None else check_int64("the first step", first_step)
        )
        last = limits.MAX_INT64 if last_step is None else check_int64("the last step", last_step)
        if type(points) is not int or not 2 <= points <= limits.CHART_POINTS:
            raise InvalidRequest(
                f"the points of a chart must lie between 2 and {limits.CHART_POINTS:,}"
            )
        found = history.downsample(self.store, run_id, key, (first, last), points)
        return cast("MetricColumns[str]", found)


def _query(run_id: str, key: str) -> Query:
    return "metric_history", check_id("run", run_id), validation.check_key(key)


def _after(page_token: str | None, query: Query) -> MetricCursor | None:
    return cast("MetricCursor | None", paging.decode_token(page_token, query, _is_metric_cursor))


def _is_metric_cursor(cursor: SearchCursor) -> bool:
    return [type(value) for value in cursor] == [int, int, float]
