"""Mutants that store what they were given, and then read, find or refuse it wrongly."""

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

    killed_by = "test_the_latest_point_is_the_greatest_whatever_came_last"

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


def place(point: Metric) -> MetricCursor:
    return point.step, point.timestamp, point.value


class PointsKeptTwice(Mutant):
    """Gives every point a place of its own, so that a replayed batch doubles the history."""

    killed_by = "test_points_are_only_added_and_the_same_one_only_once"
    numbers: ClassVar[list[int]] = [0]

    def log(self, run_id: str, batch: Batch) -> Applied:
        points = []
        for point in batch.metrics:
            self.numbers[0] += 1
            points.append(replace(point, key=f"{point.key}{HIDDEN}{self.numbers[0]}"))
        return super().log(run_id, replace(batch, metrics=points))

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        keys = [each for each in self.inner.get_run(run_id).metrics if self.belongs(each, key)]
        points = [point for each in keys for point in whole_history(self.inner, run_id, each)]
        rest = [replace(p, key=key) for p in points if after is None or place(p) > after]
        return first_rows(sorted(rest, key=place), limit, place)

    def belongs(self, stored: str, key: str) -> bool:
        return stored.startswith(f"{key}{HIDDEN}")


class HistoryByTime(Mutant):
    killed_by = "test_history_is_ordered_by_step_time_and_value"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        page = super().metric_history(run_id, key, after, limit)
        return replace(page, items=sorted(page.items, key=lambda each: (each.timestamp, each.step)))


class LimitIgnored(Mutant):
    killed_by = "test_history_is_ordered_by_step_time_and_value"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        return super().metric_history(run_id, key, after, limit + 1_000_000)


class PagesByOffset(Mutant):
    """Remembers how many rows it has given, and not which."""

    killed_by = "test_pages_of_runs_stand_while_others_come_and_go"
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
    killed_by = "test_runs_are_listed_newest_first_then_by_id"

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

    killed_by = "test_a_write_is_seen_through_every_handle"

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
    killed_by = "test_a_param_is_written_once"

    def log(self, run_id: str, batch: Batch) -> Applied:
        try:
            return super().log(run_id, batch)
        except Conflict as conflict:
            raise InvalidRequest(str(conflict)) from conflict


class ForeignError(Mutant):
    killed_by = "test_unknown_ids_are_not_found"

    def get_run(self, run_id: str) -> Run:
        try:
            return super().get_run(run_id)
        except NotFound:
            raise KeyError(run_id) from None


class NeverClosed(Mutant):
    killed_by = "test_a_closed_store_refuses_every_call"

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
    killed_by = "test_a_search_keeps_to_its_experiments_and_stage"

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(query, stage=None)


class LikeFolds(Searching):
    killed_by = "test_clauses_mean_what_the_contract_says"

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(
            query,
            where=tuple(
                replace(clause, operator="ILIKE") if clause.operator == "LIKE" else clause
                for clause in query.where
            ),
        )


class EmptyIsMissing(Searching):
    killed_by = "test_clauses_mean_what_the_contract_says"

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
    killed_by = "test_clauses_are_joined_by_and"

    def asked(self, query: RunQuery) -> RunQuery:
        return replace(query, where=query.where[:2])


class SearchPagesByOffset(Searching):
    killed_by = "test_pages_of_a_search_stand_while_runs_come_and_go"
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

    killed_by = "test_what_is_missing_comes_last_in_both_directions"

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
