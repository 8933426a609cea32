from collections.abc import Sequence
from math import inf, nan
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from trackstore.abilities import SearchesRuns
from trackstore.model import (
    RUN_NAME,
    Batch,
    Comparison,
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    OrderBy,
    Run,
    RunChanges,
    RunQuery,
)
from trackstore.search import search_by_scan, search_runs
from trackstore_conformance.bench import BackendBench, all_rows
from trackstore_conformance.effort import run_property
from trackstore_conformance.outcomes import seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential import strategies as some
from trackstore_conformance.sequential.backend_trial import SearchTrial
from trackstore_conformance.sequential.query_strategies import every_clause, queries
from trackstore_conformance.sequential.trial import run_trials
from trackstore_conformance.suites import BackendSuite
from trackstore_conformance.violations import Violation

DELETE = RunChanges(lifecycle_stage=LifecycleStage.DELETED)
RUNS_PER_EXAMPLE, QUERIES_PER_EXAMPLE = 8, 25


class SearchTests(BackendSuite):
    __test__ = False

    @rule("B-SRC-01", "B-SRC-02", "B-SRC-03")
    def test_a_pushed_down_search_is_the_scanned_search(self, bench: BackendBench) -> None:
        """On generated runs and queries both give the same pages, cursors included."""
        failed: list[SearchTrial] = []

        def check(data: st.DataObject) -> None:
            bench.evidence.examples += 1
            trial = SearchTrial(bench)
            try:
                self.search_all(trial, data)
            finally:
                if not trial.agreed:
                    failed.append(trial)

        sets = bench.profile.examples // 4  # each is searched in some eighty ways
        run_trials(lambda: run_property(check, bench.profile, sets, bench.seed), failed)

    def search_all(self, trial: SearchTrial, data: st.DataObject) -> None:
        homes, run_ids = self.fill(trial, data)
        for _ in range(QUERIES_PER_EXAMPLE):
            query = data.draw(queries([*homes, "no such experiment"], run_ids), label="query")
            self.compare_pages(trial, query, data.draw(some.limits, label="limit"))
        for clause in every_clause(data.draw(some.keys, label="key")):
            self.compare_pages(trial, RunQuery(tuple(homes), (clause,), stage=None), 1_000)

    def fill(self, trial: SearchTrial, data: st.DataObject) -> tuple[list[str], list[str]]:
        homes = [trial.bench.new_experiment_id() for _ in range(2)]
        for home in homes:
            trial.do("create_experiment", Experiment(home, f"experiment {home}", "", 0, 0))
        drawn = st.tuples(st.sampled_from(homes), some.new_runs, some.batches())
        run_ids = []
        for home, new, batch in data.draw(st.lists(drawn, max_size=RUNS_PER_EXAMPLE)):
            active = replace(new, lifecycle_stage=LifecycleStage.ACTIVE)
            run = replace(active, id=trial.bench.new_run_id(), experiment_id=home)
            trial.do("create_run", run)
            trial.do("log", run.id, batch)
            if new.lifecycle_stage is LifecycleStage.DELETED:
                trial.do("update_run", run.id, DELETE)
            run_ids.append(run.id)
        return homes, run_ids

    def compare_pages(self, trial: SearchTrial, query: RunQuery, limit: int) -> None:
        after: Any = None
        for _ in range(2 * RUNS_PER_EXAMPLE):
            found = trial.do("search_runs", query, after, limit)
            if (after := found.raw.next) is None:
                return
        raise Violation("B-SRC-03", witness="the pages never end")

    @rule("B-SRC-01")
    def test_clauses_mean_what_the_contract_says(self, bench: BackendBench) -> None:
        """NaN, missing and empty values, LIKE and ILIKE, lists and datasets, clause by clause."""
        home = bench.experiment()
        names: dict[str, str] = {}
        for name, data in SUBJECTS.items():
            run = bench.run(home, tags={RUN_NAME: name}, end_time=None if name == "bare" else 5)
            bench.store.log(run.id, data)
            names[run.id] = name
        for clause, expected in CLAUSES:
            query = RunQuery((home.id,), (clause,))
            found = {names[run.id] for run in self.search(bench, query)}
            assert found == expected, clause

    def search(self, bench: BackendBench, query: RunQuery, limit: int = 1_000) -> Sequence[Run]:
        return all_rows(lambda after: search_runs(bench.store, query, after, limit))

    @rule("B-SRC-01")
    def test_clauses_are_joined_by_and(self, bench: BackendBench) -> None:
        """A run is found if it satisfies all clauses, also two on one field."""
        home = bench.experiment()
        for number in range(4):
            run = bench.run(home, start_time=number)
            bench.store.log(run.id, Batch(metrics=[Metric("m", float(number), 0)]))
        clauses = (
            Comparison("metric", "m", ">", 0),
            Comparison("metric", "m", "<", 3),
            Comparison("attribute", "start_time", "!=", 2),
        )
        found = self.search(bench, RunQuery((home.id,), clauses))
        assert [run.start_time for run in found] == [1]

    @rule("B-SRC-01")
    def test_a_search_keeps_to_its_experiments_and_stage(self, bench: BackendBench) -> None:
        """Deleted runs, and those of other experiments, are found only when asked for."""
        home, other = bench.experiment(), bench.experiment()
        active, deleted, elsewhere = bench.run(home), bench.run(home), bench.run(other)
        bench.store.update_run(deleted.id, DELETE)
        asked = {
            LifecycleStage.ACTIVE: {active.id},
            LifecycleStage.DELETED: {deleted.id},
            None: {active.id, deleted.id},
        }
        for stage, expected in asked.items():
            found = self.search(bench, RunQuery((home.id, "no such"), stage=stage))
            assert {run.id for run in found} == expected
        both = self.search(bench, RunQuery((home.id, other.id, home.id)))
        assert sorted(run.id for run in both) == sorted([active.id, elsewhere.id])
        assert self.search(bench, RunQuery(())) == []

    @rule("B-SRC-02")
    def test_what_is_missing_comes_last_in_both_directions(self, bench: BackendBench) -> None:
        """Numbers, then NaN, then missing; ties newest first, then by id."""
        home = bench.experiment()
        values = [1.0, -inf, nan, None, inf, 1.0, nan, None, 1.0]
        starts = [0, 0, 0, 0, 0, 5, 5, 5, 5]
        runs: list[str] = []
        for value, start in zip(values, starts, strict=True):
            runs.append(bench.run(home, start_time=start).id)
            if value is not None:
                bench.store.log(runs[-1], Batch(metrics=[Metric("m", value, 0)]))
        ends = [6, 2, 7, 3]
        for descending, first in ((False, [1, 5, 8, 0, 4]), (True, [4, 5, 8, 0, 1])):
            query = RunQuery((home.id,), order_by=(OrderBy("metric", "m", descending),))
            for limit in (1, 2, 1_000):
                found = [runs.index(run.id) for run in self.search(bench, query, limit)]
                assert found == first + ends, (descending, limit)

    @rule("B-SRC-02")
    def test_texts_are_ordered_by_code_point(self, bench: BackendBench) -> None:
        """No alphabet is applied: upper case before lower, accents after z, missing last."""
        home = bench.experiment()
        texts = ["", " ", "10", "9", "B", "a", "a ", "b", "e\u0301", "é", "\uff5a", "💥"]
        for text in [*reversed(texts), None]:
            run = bench.run(home)
            bench.store.log(run.id, Batch(params={} if text is None else {"p": text}))
        for descending in (False, True):
            query = RunQuery((home.id,), order_by=(OrderBy("param", "p", descending),))
            found = [run.params.get("p") for run in self.search(bench, query, 3)]
            assert found == [*(reversed(texts) if descending else texts), None]

    @rule("B-SRC-04")
    def test_pages_of_a_search_stand_while_runs_come_and_go(self, bench: BackendBench) -> None:
        """A run that matches throughout, and keeps its place, appears exactly once."""
        home = bench.experiment()
        runs = [bench.run(home, start_time=start) for start in range(8)]
        for number, run in enumerate(runs):
            bench.store.log(run.id, Batch(metrics=[Metric("m", float(number), 0)]))
        query = RunQuery((home.id,), order_by=(OrderBy("metric", "m", descending=True),))
        first = search_runs(bench.store, query, None, 3)
        assert [run.id for run in first.items] == [run.id for run in runs[:4:-1]]
        for _ in range(3):
            new = bench.run(home, start_time=9)
            bench.store.log(new.id, Batch(metrics=[Metric("m", 100.0, 0)]))
        for gone in (runs[7], runs[5], runs[3]):
            bench.store.update_run(gone.id, DELETE)
        bench.store.purge_run(runs[5].id)
        rest = search_runs(bench.second, query, first.next, 100)
        assert [run.id for run in rest.items] == [runs[i].id for i in (4, 2, 1, 0)]

    @rule("B-SRC-05")
    def test_a_write_is_found_by_the_next_search(self, bench: BackendBench) -> None:
        """Every kind of write counts at once, whichever handle made it."""
        home = bench.experiment()
        run = bench.run(home)
        steps: list[tuple[Batch, Comparison]] = [
            (Batch(params={"p": "1"}), Comparison("param", "p", "=", "1")),
            (Batch(tags={"t": "1"}), Comparison("tag", "t", "=", "1")),
            (Batch(tags={"t": "2"}), Comparison("tag", "t", "=", "2")),
            (Batch(deleted_tags=["t"]), Comparison("tag", "t", "IS NULL")),
            (Batch(metrics=[Metric("m", 1.0, 0, 5)]), Comparison("metric", "m", "=", 1)),
            (Batch(metrics=[Metric("m", 2.0, 0, 4)]), Comparison("metric", "m", "=", 1)),
            (Batch(metrics=[Metric("m", 3.0, 0, 6)]), Comparison("metric", "m", "=", 3)),
        ]
        every = RunQuery((home.id,))
        for batch, clause in steps:
            query = RunQuery((home.id,), (clause,))
            search_runs(bench.second, query, None, 10)
            bench.store.log(run.id, batch)
            for handle in (bench.second, bench.store):
                found = search_runs(handle, query, None, 10)
                assert [each.id for each in found.items] == [run.id], clause
                (told,) = search_runs(handle, every, None, 10).items
                assert told.tags == bench.store.get_run(run.id).tags
        bench.store.update_run(run.id, DELETE)
        assert search_runs(bench.second, every, None, 10).items == []

    @rule("B-SRC-01")
    def test_the_offer_to_search_is_kept(self, bench: BackendBench) -> None:
        """A store that has `search_runs` answers it with a finished page of whole runs."""
        run = bench.run()
        bench.store.log(run.id, SUBJECTS["one"])
        query = RunQuery((run.experiment_id,))
        expected = seen([bench.store.get_run(run.id)])
        if isinstance(bench.store, SearchesRuns):
            assert seen(bench.store.search_runs(query, None, 5).items) == expected
        assert seen(search_by_scan(bench.store, query, None, 5).items) == expected


SUBJECTS = {
    "bare": Batch(),
    "one": Batch(
        metrics=[Metric("m", 1.0, 0)],
        params={"p": "abc"},
        tags={"t": "x"},
        inputs=[DatasetInput(Dataset("d", "1"), {"mlflow.data.context": "train"})],
    ),
    "nan": Batch(metrics=[Metric("m", nan, 0)], params={"p": ""}, tags={"t": ""}),
    "upper": Batch(
        metrics=[Metric("m", inf, 0)],
        params={"p": "ABC"},
        tags={"t": "É"},
        inputs=[DatasetInput(Dataset("d", "2")), DatasetInput(Dataset("e", "1"))],
    ),
    "odd": Batch(metrics=[Metric("m", 2.0**53, 0)], params={"p": "a%c\nx"}, tags={"t": "💥"}),
}
CLAUSES: list[tuple[Comparison, set[str]]] = [
    (Comparison("metric", "m", "=", 1), {"one"}),
    (Comparison("metric", "m", "!=", 1), {"nan", "upper", "odd"}),
    (Comparison("metric", "m", "<", inf), {"one", "odd"}),
    (Comparison("metric", "m", ">=", 1.0), {"one", "upper", "odd"}),
    (Comparison("metric", "m", ">", 2**53 - 1), {"upper", "odd"}),
    (Comparison("metric", "m", "<", 2**53 + 1), {"one", "odd"}),
    (Comparison("metric", "m", "<", 1e300), {"one", "odd"}),
    (Comparison("metric", "M", "!=", 1), set()),
    (Comparison("param", "p", "IS NULL"), {"bare"}),
    (Comparison("param", "p", "IS NOT NULL"), {"one", "nan", "upper", "odd"}),
    (Comparison("param", "p", "=", ""), {"nan"}),
    (Comparison("param", "p", "!=", "abc"), {"nan", "upper", "odd"}),
    (Comparison("param", "p", "=", "abc "), set()),
    (Comparison("param", "p", "LIKE", "a%"), {"one", "odd"}),
    (Comparison("param", "p", "LIKE", "a_c"), {"one"}),
    (Comparison("param", "p", "LIKE", "a%c"), {"one"}),
    (Comparison("param", "p", "LIKE", "%"), {"one", "nan", "upper", "odd"}),
    (Comparison("param", "p", "LIKE", "a\\%%"), set()),
    (Comparison("param", "p", "LIKE", "a_c_x"), {"odd"}),
    (Comparison("param", "p", "ILIKE", "A%C"), {"one", "upper"}),
    (Comparison("tag", "t", "LIKE", "_"), {"one", "upper", "odd"}),
    (Comparison("tag", "t", "ILIKE", "é"), set()),
    (Comparison("tag", "t", "ILIKE", "É"), {"upper"}),
    (Comparison("tag", RUN_NAME, "=", "one"), {"one"}),
    (Comparison("attribute", "user_id", "=", "ada"), set(SUBJECTS)),
    (Comparison("attribute", "status", "ILIKE", "run%"), set(SUBJECTS)),
    (Comparison("attribute", "status", "LIKE", "run%"), set()),
    (Comparison("attribute", "end_time", "!=", 4), set(SUBJECTS) - {"bare"}),
    (Comparison("attribute", "end_time", "<", 5.5), set(SUBJECTS) - {"bare"}),
    (Comparison("attribute", "run_id", "IN", ("no such run",)), set()),
    (Comparison("attribute", "run_id", "NOT IN", ("no such run",)), set(SUBJECTS)),
    (Comparison("dataset", "name", "=", "d"), {"one", "upper"}),
    (Comparison("dataset", "name", "!=", "d"), {"upper"}),
    (Comparison("dataset", "name", "NOT IN", ("d", "e")), set()),
    (Comparison("dataset", "digest", "IN", ("2", "3")), {"upper"}),
    (Comparison("dataset", "context", "ILIKE", "TRAIN"), {"one"}),
]
