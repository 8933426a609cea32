"""Search in SQL against `search_by_scan`, on data and queries that collide on purpose."""

import math
import random
from collections.abc import Callable, Iterator, Sequence

import pytest

from trackstore.model import (
    Batch,
    Comparison,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    OrderBy,
    Run,
    RunChanges,
    RunQuery,
    RunStatus,
)
from trackstore.search import ilike, like, search_by_scan
from trackstore_backends.sql import fragments, search
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.store import SQLBackendStore

KEYS = ["a", "b", "A", "né", "absent"]
LONG = "x" * 250
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "a%",
    "a_b",
    "*",
    "[x]",
    "é",
    "É",
    "\u212a",
    "k",
    "K",
    "😀",
    "\uffff",
    "a\nb",
]
TEXTS += [LONG, LONG + "a", LONG + "b", LONG[1:] + "\U0010ffff", "\ud7ff", "\ue000", "a\U0010ffffb"]
PATTERNS = [
    *TEXTS,
    "%",
    "_",
    "a%",
    "%b",
    "%a%",
    "__",
    "x%",
    LONG + "%",
    "\ud7ff%",
    "\U0010ffff%",
    "%é",
    "k%",
]
PATTERNS += ["a_%", "%%", "%_%", "[%", "*%", "%a%b%", "é%"]
VALUES = [0.0, 1.0, -1.0, 0.5, math.inf, -math.inf, math.nan, 5e-324, 1.7e308, 2.0**53, 2.0**53 + 2]
NUMBERS = [*VALUES, 0, 1, 2**53 + 1, -1, 10**400, -(10**400), 0.3]
TIMES = [0, 1, 2, 2**53 + 1]
EXPERIMENTS = ("1", "2", "3")
NUMERIC = ["=", "!=", "<", "<=", ">", ">="]
TEXTUAL = ["=", "!=", "LIKE", "ILIKE"]


QUERIES = {"SQLiteBackendStore": 100, "PostgresBackendStore": 40, "MySQLBackendStore": 25}


def fill(store: SQLBackendStore, rng: random.Random, runs: int) -> None:
    for experiment_id in EXPERIMENTS:
        store.create_experiment(Experiment(experiment_id, experiment_id, "", 0, 0))
    for number in range(runs):
        run_id = f"{rng.randrange(16**6):06x}{number:03}"
        home = rng.choice(EXPERIMENTS)
        start, end = rng.choice(TIMES), rng.choice([None, *TIMES])
        run = Run(run_id, home, start, rng.choice(TEXTS), rng.choice(TEXTS), end_time=end)
        store.create_run(run)
        store.log(run_id, some_batch(rng))
        status, stage = (
            rng.choice(list(RunStatus)),
            rng.choice([*LifecycleStage, LifecycleStage.ACTIVE]),
        )
        store.update_run(run_id, RunChanges(status, lifecycle_stage=stage))
    deleted = ExperimentChanges(lifecycle_stage=LifecycleStage.DELETED)
    store.update_experiment(EXPERIMENTS[-1], deleted)


def some_batch(rng: random.Random) -> Batch:
    keys = KEYS[:-1]
    return Batch(
        [Metric(key, rng.choice(VALUES), 0, 0) for key in keys if rng.random() < 0.7],
        {key: rng.choice(TEXTS) for key in keys if rng.random() < 0.7},
        {key: rng.choice(TEXTS) for key in keys if rng.random() < 0.7},
        inputs=[
            DatasetInput(
                Dataset(rng.choice(TEXTS), rng.choice("ab")),
                {"mlflow.data.context": rng.choice(TEXTS)} if rng.random() < 0.5 else {},
            )
            for _ in range(rng.randrange(3))
        ],
    )


def some_clause(rng: random.Random, run_ids: Sequence[str]) -> Comparison:
    entity = rng.choice(["metric", "metric", "param", "tag", "attribute", "dataset"])
    if entity == "metric":
        return Comparison(entity, rng.choice(KEYS), rng.choice(NUMERIC), rng.choice(NUMBERS))
    if entity == "attribute":
        key = rng.choice(["run_id", "user_id", "status", "artifact_uri", "start_time", "end_time"])
        if key.endswith("time"):
            return Comparison(entity, key, rng.choice(NUMERIC), rng.choice([*NUMBERS, *TIMES, 1.5]))
        if key == "run_id":
            some = tuple(rng.sample(run_ids, 3))
            return rng.choice(
                [
                    Comparison(entity, key, rng.choice(["IN", "NOT IN"]), some),
                    Comparison(entity, key, rng.choice(TEXTUAL), some[0]),
                    Comparison(entity, key, "LIKE", some[0][:2] + "%"),
                ]
            )
        return Comparison(entity, key, rng.choice(TEXTUAL), rng.choice([*PATTERNS, "RUN%"]))
    if entity == "dataset":
        key = rng.choice(["name", "digest", "context"])
        if rng.random() < 0.3:
            return Comparison(
                entity, key, rng.choice(["IN", "NOT IN"]), tuple(rng.sample(TEXTS, 2))
            )
        return Comparison(entity, key, rng.choice(TEXTUAL), rng.choice(PATTERNS))
    operator = rng.choice([*TEXTUAL, "IS NULL", "IS NOT NULL"])
    value = None if operator.endswith("NULL") else rng.choice(PATTERNS)
    return Comparison(entity, rng.choice(KEYS), operator, value)


def some_order(rng: random.Random) -> OrderBy:
    entity = rng.choice(["metric", "metric", "param", "tag", "attribute"])
    attributes = ["run_id", "user_id", "status", "artifact_uri", "start_time", "end_time"]
    key = rng.choice(attributes if entity == "attribute" else KEYS)
    return OrderBy(entity, key, rng.random() < 0.5)


def some_query(rng: random.Random, run_ids: Sequence[str]) -> RunQuery:
    clauses = [some_clause(rng, run_ids) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]
    orders = {(order.entity, order.key): order for order in (some_order(rng) for _ in range(3))}
    kept = list(orders.values())[: rng.randrange(4)]
    homes = tuple(rng.sample(EXPERIMENTS, rng.randrange(1, 4)))
    return RunQuery(homes, tuple(clauses), tuple(kept), rng.choice([None, *LifecycleStage]))


def pages(search_page, query: RunQuery, limit: int) -> Iterator[tuple[list[str], object]]:
    after = None
    while True:
        page = search_page(query, after, limit)
        yield [run.id for run in page.items], repr(page.next)
        after = page.next
        if after is None:
            return


@pytest.mark.parametrize(("few", "merged"), [(2_000, 20), (-1, 20), (-1, 0), (15, 1)])
def test_search_equals_the_scan(
    any_store: SQLBackendStore, few: int, merged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked and however it is carried out, pages and cursors are the reference's."""
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "MERGED", merged)
    monkeypatch.setattr(search, "SELECTIVE", 0)
    store, rng = any_store, random.Random(few * 31 + merged)
    fill(store, rng, 90)
    run_ids = [
        run.id for home in EXPERIMENTS for run in store.scan_runs(home, None, None, 1_000).items
    ]
    for _ in range(QUERIES[type(store).__name__]):
        query, limit = some_query(rng, run_ids), rng.choice([1, 3, 7, 50, 500])
        expected = pages(lambda *asked: search_by_scan(store, *asked), query, max(limit, 7))
        found = pages(store.search_runs, query, max(limit, 7))
        assert list(found) == list(expected), query


@pytest.mark.parametrize(
    ("phrase", "reference"), [(fragments.like, like), (fragments.ilike, ilike)]
)
def test_patterns_match_as_in_the_reference(
    phrase: Callable[[str, str], fragments.Sql],
    reference: Callable[[str, str], bool],
    any_store: SQLBackendStore,
) -> None:
    """Every pattern matches the same texts in each database as it does in the reference."""

    def check(session: Session) -> None:
        for pattern in PATTERNS:
            test, values = phrase("t.value", pattern)
            sql = f"select 1 from (select ? as value) t where {test}"
            found = [session.row(sql, (text, *values)) is not None for text in TEXTS]
            assert found == [reference(text, pattern) for text in TEXTS], pattern

    any_store._connections.read(check)


def test_long_values_differ_beyond_what_is_indexed(
    any_store: SQLBackendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values that begin alike are told apart, also when an index is asked first."""
    store = any_store
    monkeypatch.setattr(search, "SELECTIVE", 0)
    store.create_experiment(Experiment("1", "e", "", 0, 0))
    values = [LONG, LONG + "a", LONG + "b", LONG[1:]]
    for number, value in enumerate(values):
        store.create_run(Run(f"{number}", "1", 0, ""))
        store.log(f"{number}", Batch(params={"p": value}))
    for number, value in enumerate(values):
        for operator in ("=", "LIKE"):
            clause = Comparison("param", "p", operator, value)
            page = store.search_runs(RunQuery(("1",), (clause,)), None, 9)
            assert [run.id for run in page.items] == [f"{number}"]
