"""Mutants that store what they were given, and then read, find or refuse it wrongly."""

from collections import Counter
from math import isnan
from typing import ClassVar

from msgspec.structs import replace

from trackstore.errors import Conflict, InvalidRequest, NotFound
from trackstore.model import (
    Applied,
    Batch,
    LifecycleStage,
    Metric,
    MetricCursor,
    Page,
    Run,
    RunChanges,
    RunCursor,
    RunQuery,
    SearchCursor,
)
from trackstore.search import search_by_scan
from trackstore.stores import BackendStore
from trackstore_conformance.mutants.wrapped import HIDDEN, Mutant, first_rows, whole_history


class LatestIsTheLastWritten(Mutant):
    """Keeps the step of the point that came last in a tag."""

    killed_by = "B-MET-03"

    def log(self, run_id: str, batch: Batch) -> Applied:
        last = {f"{HIDDEN}{point.key}": str(point.step) for point in batch.metrics}
        return super().log(run_id, replace(batch, tags={**batch.tags, **last}))

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        last = {
            key: point
            for key in run.metrics
            for point in whole_history(self.inner, run_id, key)
            if str(point.step) == run.tags[HIDDEN + key]
        }
        tags = {key: value for key, value in run.tags.items() if not key.startswith(HIDDEN)}
        return replace(run, metrics=last, tags=tags)


class PointsKeptTwice(Mutant):
    """Stores a point once for each time it is logged."""

    killed_by = "B-MET-01"
    times: ClassVar[Counter[tuple[str, str, int, int, str]]] = Counter()

    only_nan: ClassVar[bool] = False

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = super().log(run_id, batch)
        points = [p for p in batch.metrics if isnan(p.value) or not self.only_nan]
        self.times.update(identity(run_id, point) for point in points)
        return applied

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        page = super().metric_history(run_id, key, after, limit)
        times = [self.times[identity(run_id, point)] or 1 for point in page.items]
        pairs = zip(page.items, times, strict=True)
        return replace(page, items=[point for point, n in pairs for _ in range(n)])


def identity(run_id: str, point: Metric) -> tuple[str, str, int, int, str]:
    return run_id, point.key, point.step, point.timestamp, repr(point.value)


class NanNeverEqual(PointsKeptTwice):
    """Stores a NaN once for each time it is logged."""

    killed_by = "B-MET-01"
    only_nan = True


class HistoryByTime(Mutant):
    """Orders a history by time."""

    killed_by = "B-MET-06"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        page = super().metric_history(run_id, key, after, limit)
        return replace(page, items=sorted(page.items, key=lambda each: (each.timestamp, each.step)))


class LimitIgnored(Mutant):
    """Gives a whole history at once."""

    killed_by = "B-MET-06"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        return super().metric_history(run_id, key, after, limit + 1_000_000)


class PagesByOffset(Mutant):
    """Remembers how many runs it has given, and not which."""

    killed_by = "B-PAG-02"
    given: ClassVar[dict[RunCursor, int]] = {}

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        rows = list(super().scan_runs(experiment_id, stage, None, 10_000).items)
        start = 0 if after is None else self.given[after]
        page = first_rows(rows[start:], limit, lambda run: (run.start_time, run.id))
        if page.next is not None:
            self.given[page.next] = start + limit
        return page


class TiesBackwards(Mutant):
    """Lists runs of one start time in the wrong order."""

    killed_by = "B-PAG-01"

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        rows = list(super().scan_runs(experiment_id, stage, None, 10_000).items)
        rows.sort(key=lambda run: (run.start_time, run.id), reverse=True)
        rest = [run for run in rows if after is None or (run.start_time, run.id) < after]
        return first_rows(rest, limit, lambda run: (run.start_time, run.id))


class StaleReads(Mutant):
    """Answers from what it read before, until it writes itself."""

    killed_by = "B-SES-01"

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.read: dict[str, Run] = {}

    def get_run(self, run_id: str) -> Run:
        if run_id not in self.read:
            self.read[run_id] = super().get_run(run_id)
        return self.read[run_id]

    def log(self, run_id: str, batch: Batch) -> Applied:
        self.read.pop(run_id, None)
        return super().log(run_id, batch)

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self.read.pop(run_id, None)
        super().update_run(run_id, changes)


class OtherErrorForAConflict(Mutant):
    """Refuses another value of a param by the wrong error."""

    killed_by = "B-PAR-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        try:
            return super().log(run_id, batch)
        except Conflict as conflict:
            raise InvalidRequest(str(conflict)) from conflict


class ForeignError(Mutant):
    """Lets what it is made of say that a run is not there."""

    killed_by = "B-ERR-01"

    def get_run(self, run_id: str) -> Run:
        try:
            return super().get_run(run_id)
        except NotFound:
            raise KeyError(run_id) from None


class NeverClosed(Mutant):
    """Goes on after it was closed."""

    killed_by = "B-CON-01"

    def close(self) -> None:
        pass


class Searching(Mutant):
    """Searches as it should, but for `asked`, which changes the question."""

    def asked(self, query: RunQuery) -> RunQuery:
        raise NotImplementedError

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        return search_by_scan(self.inner, self.asked(query), after, limit)


class DeletedRunsFound(Searching):
    """Finds deleted runs too."""

    killed_by = "B-SRC-01"
    near = ("B-SRC-02", "B-PAG-01", "B-RUN-03")

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(query, stage=None)


class LikeFolds(Searching):
    """Folds letters for LIKE."""

    killed_by = "B-SRC-01"

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(
            query,
            where=tuple(
                replace(clause, operator="ILIKE") if clause.operator == "LIKE" else clause
                for clause in query.where
            ),
        )


class EmptyIsMissing(Searching):
    """Takes an empty text for none."""

    killed_by = "B-SRC-01"

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(
            query,
            where=tuple(
                replace(clause, operator="!=", value="")
                if clause.operator == "IS NOT NULL"
                else clause
                for clause in query.where
            ),
        )


class LastClauseForgotten(Searching):
    """Obeys the first two clauses of a filter."""

    killed_by = "B-SRC-01"

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(query, where=query.where[:2])


class SearchPagesByOffset(Searching):
    """Remembers how many runs it has found, and not which."""

    killed_by = "B-SRC-04"
    given: ClassVar[dict[SearchCursor, int]] = {}

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        start = 0 if after is None else self.given[after]
        page = search_by_scan(self.inner, query, None, start + limit)
        if page.next is not None:
            self.given[page.next] = start + limit
        return replace(page, items=page.items[start:])


class MissingFirstWhenDescending(Searching):
    """Sorts what is missing as the greatest, as many databases do."""

    killed_by = "B-SRC-02"

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        page = search_by_scan(self.inner, query, after, limit)
        if not query.order_by or not query.order_by[0].descending:
            return page
        key = query.order_by[0].key
        return replace(page, items=sorted(page.items, key=lambda run: key in run.metrics))


READING: tuple[type[Mutant], ...] = (
    LatestIsTheLastWritten,
    PointsKeptTwice,
    NanNeverEqual,
    HistoryByTime,
    LimitIgnored,
    PagesByOffset,
    TiesBackwards,
    StaleReads,
    OtherErrorForAConflict,
    ForeignError,
    NeverClosed,
    DeletedRunsFound,
    LikeFolds,
    EmptyIsMissing,
    LastClauseForgotten,
    SearchPagesByOffset,
    MissingFirstWhenDescending,
)
