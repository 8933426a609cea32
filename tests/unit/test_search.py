"""What comparisons and orders mean, on the scan that every pushed-down search must equal."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackstore import filters, search
from trackstore.model import (
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    Run,
    RunChanges,
    RunQuery,
)
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

NO: dict[str, str] = {}
RUNS: list[tuple[str, int, dict[str, float], dict[str, str], dict[str, str]]] = [
    ("a", 1, {"m": 1.0}, {"p": "x"}, {"t": "Ab"}),
    ("b", 2, {"m": math.nan}, {"p": "y"}, {"t": "ab"}),
    ("c", 2, {"m": -math.inf}, {"p": "é"}, NO),
    ("d", 3, {}, NO, {"t": "a%"}),
    ("e", 1, {"m": 1.0}, {"p": "x"}, NO),
]


@pytest.fixture
def store() -> BackendStore:
    store = open_backend_store("memory:")
    store.create_experiment(Experiment("1", "one", "x:/1", 1, 1))
    for run_id, start, metrics, params, tags in RUNS:
        store.create_run(Run(run_id, "1", start, "x", tags=tags))
        points = [Metric(key, value, 1) for key, value in metrics.items()]
        store.log(run_id, Batch(metrics=points, params=params))
    read = DatasetInput(Dataset("iris", "d1"), {"mlflow.data.context": "train"})
    store.log("a", Batch(inputs=[read, DatasetInput(Dataset("wine", "d2"))]))
    return store


def found(store: BackendStore, text: str, *order: str, limit: int = 100) -> str:
    query = RunQuery(("1",), filters.parse_run_filter(text), filters.parse_run_order(order))
    ids, after = "", None
    while True:
        page = search.search_runs(store, query, after, limit)
        ids += "".join(run.id for run in page.items)
        if (after := page.next) is None:
            return ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "dbcae"),
        ("metrics.m = 1", "ae"),
        ("metrics.m != 1", "bc"),
        ("metrics.m < 1", "c"),
        ("metrics.m <= 1", "cae"),
        ("metrics.m > -5", "ae"),
        ("params.p != 'x'", "bc"),
        ("params.p IS NULL", "d"),
        ("params.p IS NOT NULL", "bcae"),
        ("params.p LIKE '_'", "bcae"),
        ("tags.t LIKE 'a%'", "db"),
        ("tags.t ILIKE 'AB'", "ba"),
        ("tags.t = 'a%'", "d"),
        ("run_id IN ('a', 'z', 'd')", "da"),
        ("run_id NOT IN ('a', 'd')", "bce"),
        ("start_time >= 2", "dbc"),
        ("end_time > 0", ""),
        ("status = 'RUNNING' AND params.p = 'x'", "ae"),
        ("dataset.name = 'iris'", "a"),
        ("dataset.name != 'iris'", "a"),
        ("dataset.name = 'iris' AND dataset.digest = 'd2'", "a"),
        ("dataset.context LIKE 'tr%'", "a"),
        ("dataset.name = 'other'", ""),
    ],
)
def test_a_filter_finds(store: BackendStore, text: str, ids: str) -> None:
    """NaN matches only !=, what is missing only IS NULL; the default is newest first, then id."""
    assert found(store, text) == ids
    assert found(store, text, limit=1) == ids


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        (("metrics.m",), "caebd"),
        (("metrics.m DESC",), "aecbd"),
        (("params.p",), "aebcd"),
        (("params.p DESC",), "cbaed"),
        (("start_time",), "aebcd"),
        (("run_id DESC",), "edcba"),
        (("end_time", "run_id"), "abcde"),
        (("params.p", "run_id DESC"), "eabcd"),
    ],
)
def test_an_order_sorts(store: BackendStore, order: tuple[str, ...], ids: str) -> None:
    """Numbers, then NaN, then what is missing, in both directions; the same on small pages."""
    assert found(store, "", *order) == ids
    assert found(store, "", *order, limit=1) == ids
    assert found(store, "", *order, limit=2) == ids


def test_pages_are_stable_while_runs_come_and_go(store: BackendStore) -> None:
    """B-SRC-04: what stays is seen once, whatever is inserted or deleted between two pages."""
    query = RunQuery(("1",))
    first = search.search_runs(store, query, None, 2)
    store.create_run(Run("new", "1", 9, "x"))
    store.update_run("d", RunChanges(lifecycle_stage=LifecycleStage.DELETED))
    rest = search.search_runs(store, query, first.next, 10)
    assert [run.id for run in (*first.items, *rest.items)] == list("dbcae")


def test_stages_and_experiments_are_told_apart(store: BackendStore) -> None:
    """Only the given stage and experiments; an experiment that is named twice counts once."""
    store.update_run("a", RunChanges(lifecycle_stage=LifecycleStage.DELETED))
    store.create_experiment(Experiment("2", "two", "x:/2", 1, 1))
    store.create_run(Run("f", "2", 7, "x"))

    def ids(query: RunQuery) -> str:
        return "".join(run.id for run in search.search_runs(store, query, None, 100).items)

    assert ids(RunQuery(("1",))) == "dbce"
    assert ids(RunQuery(("1",), stage=LifecycleStage.DELETED)) == "a"
    assert ids(RunQuery(("1", "2", "1", "9"), stage=None)) == "fdbcae"
    assert ids(RunQuery(())) == ""


def test_experiments_are_searched(store: BackendStore) -> None:
    """By name, id, time and tag, in any order."""
    store.create_experiment(Experiment("2", "Two", "x:/2", 5, 5, tags={"a": "b"}))

    def ids(text: str, *order: str) -> str:
        where, by = filters.parse_experiment_filter(text), filters.parse_experiment_order(order)
        page = search.search_experiments(store, ExperimentQuery(where, by), None, 10)
        return "".join(experiment.id for experiment in page.items)

    assert ids("") == "21"
    assert ids("", "name") == "21"
    assert ids("", "name DESC") == "12"
    assert ids("name ILIKE 't%'") == "2"
    assert ids("tags.a = 'b' AND creation_time = 5") == "2"
    assert ids("experiment_id NOT IN ('2')") == "1"


@given(st.text("ab%_é\n", max_size=8), st.text("ab%_é\n", max_size=6))
def test_like_is_what_its_words_say(value: str, pattern: str) -> None:
    """`%` is any text and `_` any one code point: checked against the plain recursion."""

    def slow(value: str, pattern: str) -> bool:
        if not pattern:
            return not value
        if pattern[0] == "%":
            return any(slow(value[n:], pattern[1:]) for n in range(len(value) + 1))
        return bool(value) and pattern[0] in {"_", value[0]} and slow(value[1:], pattern[1:])

    assert search.like(value, pattern) == slow(value, pattern)


def test_like_takes_no_time() -> None:
    """B-SRC-07: a hostile pattern costs no more than its length times the text's."""
    begun = time.monotonic()
    assert not search.like("a" * 50_000, "%a" * 5_000 + "b")
    assert time.monotonic() - begun < 2
