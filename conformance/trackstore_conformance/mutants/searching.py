"""Mutants that list and search wrongly."""

from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from trackstore.model import (
    Comparison,
    Experiment,
    ExperimentCursor,
    LifecycleStage,
    OrderBy,
    Page,
    Run,
    RunCursor,
    RunQuery,
    SearchCursor,
)
from trackstore.stores import BackendStore
from trackstore_conformance.mutants.reading import Searching
from trackstore_conformance.mutants.wrapped import Mutant, first_rows
from trackstore_conformance.sequential.model_search import (
    cursor_of,
    holds,
    rows_after,
    search_order,
)

ALL = 10_000


class NextAtTheEnd(Mutant):
    """Says that a page follows a full one, without looking."""

    killed_by = "B-PAG-01"
    near = ("B-RUN-01", "B-RUN-04", "B-MET-06")

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        page = super().scan_runs(experiment_id, stage, after, limit)
        if len(page.items) < limit:
            return page
        return replace(page, next=(page.items[-1].start_time, page.items[-1].id))


class ExperimentIdsAsNumbers(Mutant):
    """Lists experiments of one time by the number that their id is, 9 before 10."""

    killed_by = "B-PAG-01"

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        page = super().scan_experiments(stage, after, limit)
        in_order = sorted(page.items, key=lambda each: (-each.creation_time, int(each.id)))
        return replace(page, items=in_order)


class LimitOfRunsIgnored(Mutant):
    """Gives all runs at once."""

    killed_by = "B-PAG-01"

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        return super().scan_runs(experiment_id, stage, after, limit + ALL)


class ExperimentsByOffset(Mutant):
    """Remembers how many experiments it has given, and not which."""

    killed_by = "B-PAG-02"
    given: ClassVar[dict[ExperimentCursor, int]] = {}

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        rows = list(super().scan_experiments(stage, None, ALL).items)
        start = 0 if after is None else self.given[after]
        page = first_rows(rows[start:], limit, lambda each: (each.creation_time, each.id))
        if page.next is not None:
            self.given[page.next] = start + limit
        return page


class OwnSearch(Searching):
    """Searches by `holds` and `in_order`, which a mutant breaks."""

    def asked(self, query: RunQuery) -> RunQuery:
        return query

    def holds(self, run: Run, where: Sequence[Comparison]) -> bool:
        return all(self.satisfies(run, clause) for clause in where)

    def satisfies(self, run: Run, clause: Comparison) -> bool:
        return holds(run, clause)

    def in_order(self, runs: Sequence[Run], query: RunQuery) -> list[Run]:
        return search_order(runs, replace(query, where=()))

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        runs = [
            run
            for home in dict.fromkeys(query.experiment_ids)
            for run in self.inner.scan_runs(home, query.stage, None, ALL).items
            if self.holds(run, query.where)
        ]
        rows = rows_after(self.in_order(runs, query), query.order_by, after)
        return first_rows(rows, limit, lambda run: cursor_of(run, query.order_by))


class ClausesJoinedByOr(OwnSearch):
    """Finds a run that satisfies one of the clauses."""

    killed_by = "B-SRC-01"

    def holds(self, run: Run, where: Sequence[Comparison]) -> bool:
        return not where or any(self.satisfies(run, clause) for clause in where)


class UnequalToWhatIsMissing(OwnSearch):
    """Finds a run without the field by `!=`."""

    killed_by = "B-SRC-01"

    def satisfies(self, run: Run, clause: Comparison) -> bool:
        if clause.operator == "!=":
            return not holds(run, replace(clause, operator="="))
        return holds(run, clause)


class NumbersComparedAsText(OwnSearch):
    """Compares a metric by how it is written."""

    killed_by = "B-SRC-01"

    def satisfies(self, run: Run, clause: Comparison) -> bool:
        is_number = clause.entity == "metric" and clause.key in run.metrics
        if not is_number or clause.operator != "<":
            return holds(run, clause)
        return str(run.metrics[clause.key].value) < str(clause.value)


class EveryLetterFolded(OwnSearch):
    """Folds letters beyond A to Z for ILIKE."""

    killed_by = "B-SRC-01"

    def satisfies(self, run: Run, clause: Comparison) -> bool:
        if clause.operator != "ILIKE":
            return holds(run, clause)
        return holds(folded(run), replace(clause, value=str(clause.value).lower()))


def folded(run: Run) -> Run:
    tags, params = ({k: v.lower() for k, v in held.items()} for held in (run.tags, run.params))
    return replace(run, tags=tags, params=params, user_id=run.user_id.lower())


class BackslashEscapes(OwnSearch):
    """Lets a backslash take the meaning from the mark behind it."""

    killed_by = "B-SRC-01"

    def satisfies(self, run: Run, clause: Comparison) -> bool:
        if clause.operator not in {"LIKE", "ILIKE"}:
            return holds(run, clause)
        return holds(run, replace(clause, value=str(clause.value).replace("\\%", "%")))


class FoundWithoutData(OwnSearch):
    """Gives the runs that it finds without their params."""

    killed_by = "B-SRC-01"
    near = ("B-SRC-04", "B-SRC-05", "B-PAG-01")

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        page = super().search_runs(query, after, limit)
        return replace(page, items=[replace(run, params={}) for run in page.items])


class TiesByIdAlone(OwnSearch):
    """Orders what is equal by id, and not by start time first."""

    killed_by = "B-SRC-02"

    def in_order(self, runs: Sequence[Run], query: RunQuery) -> list[Run]:
        rows = sorted(runs, key=lambda run: run.id)
        by = query.order_by[:1]
        metric = by[0].key if by and by[0].entity == "metric" else ""
        if not metric:
            return super().in_order(runs, query)
        sign = -1 if by[0].descending else 1
        return sorted(rows, key=lambda run: rank(run, metric, sign))


def rank(run: Run, key: str, sign: int) -> tuple[int, float]:
    point = run.metrics.get(key)
    if point is None:
        return 2, 0.0
    return (1, 0.0) if point.value != point.value else (0, sign * point.value)


class TextsByAlphabet(OwnSearch):
    """Orders text without regard to case."""

    killed_by = "B-SRC-02"

    def in_order(self, runs: Sequence[Run], query: RunQuery) -> list[Run]:
        same = {run.id: run for run in runs}
        return [same[run.id] for run in super().in_order([folded(run) for run in runs], query)]


class NanIsTheLeast(OwnSearch):
    """Orders NaN as a number that is less than any other."""

    killed_by = "B-SRC-02"

    def in_order(self, runs: Sequence[Run], query: RunQuery) -> list[Run]:
        rows = super().in_order(runs, query)
        by: OrderBy | None = query.order_by[0] if query.order_by else None
        if by is None or by.entity != "metric" or by.descending:
            return rows
        return sorted(rows, key=lambda run: not is_nan(run, by.key))


def is_nan(run: Run, key: str) -> bool:
    return key in run.metrics and run.metrics[key].value != run.metrics[key].value


class LastRowTwice(OwnSearch):
    """Begins a page with the last row of the page before."""

    killed_by = "B-SRC-03"

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        page = super().search_runs(query, after, limit)
        if after is None:
            return page
        last = self.inner.get_run(str(after[-1]))
        return replace(page, items=[last, *page.items][:limit])


class TiesPassedOver(OwnSearch):
    """Goes on behind all rows that are equal to the last one by what is ordered by."""

    killed_by = "B-SRC-03"

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        if after is None or not query.order_by:
            return super().search_runs(query, after, limit)
        return super().search_runs(query, (*after[:-2], -1, "g"), limit)


class SearchIndexLate(OwnSearch):
    """Answers a question that was asked before as it did then."""

    killed_by = "B-SRC-05"
    near = ("B-SRC-02", "B-PAG-01", "B-PAG-02")

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.answers: dict[Any, Page[Run, SearchCursor]] = {}

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        asked = (query, after, limit)
        if asked not in self.answers:
            self.answers[asked] = super().search_runs(query, after, limit)
        return self.answers[asked]


SEARCHING: tuple[type[Mutant], ...] = (
    NextAtTheEnd,
    ExperimentIdsAsNumbers,
    LimitOfRunsIgnored,
    ExperimentsByOffset,
    ClausesJoinedByOr,
    UnequalToWhatIsMissing,
    NumbersComparedAsText,
    EveryLetterFolded,
    BackslashEscapes,
    FoundWithoutData,
    TiesByIdAlone,
    TextsByAlphabet,
    NanIsTheLeast,
    LastRowTwice,
    TiesPassedOver,
    SearchIndexLate,
)
