"""Filter and order text is read as MLflow's users write it, and refused with a pointer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackstore.errors import InvalidRequest, LimitExceeded, TrackstoreError
from trackstore.filters import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)
from trackstore.model import Comparison, OrderBy

READ = {
    "": [],
    "  ": [],
    "metrics.loss < 0.3": [("metric", "loss", "<", 0.3)],
    "metric.loss>=-1e3": [("metric", "loss", ">=", -1000.0)],
    "metrics.`val loss` != .5": [("metric", "val loss", "!=", 0.5)],
    'metrics."val loss" = +2.': [("metric", "val loss", "=", 2.0)],
    "metrics.a/b:c-d.e = 1": [("metric", "a/b:c-d.e", "=", 1)],
    "params.model = 'tree'": [("param", "model", "=", "tree")],
    'parameter.model like "%tree%"': [("param", "model", "LIKE", "%tree%")],
    "params.a = 'it''s'": [("param", "a", "=", "it's")],
    "tags.`mlflow.parentRunId` = 'x'": [("tag", "mlflow.parentRunId", "=", "x")],
    "tag.mlflow.source.name ILIKE 'x%'": [("tag", "mlflow.source.name", "ILIKE", "x%")],
    "tags.a IS NULL": [("tag", "a", "IS NULL", None)],
    "params.a is not null": [("param", "a", "IS NOT NULL", None)],
    "status = 'RUNNING'": [("attribute", "status", "=", "RUNNING")],
    "attributes.start_time > 5": [("attribute", "start_time", ">", 5)],
    "attr.Created <= 5": [("attribute", "start_time", "<=", 5)],
    "run.run_id IN ('a', 'b')": [("attribute", "run_id", "IN", ("a", "b"))],
    "run_id not in ('a')": [("attribute", "run_id", "NOT IN", ("a",))],
    "`run name` = 'x'": [("tag", "mlflow.runName", "=", "x")],
    "run_name LIKE 'x_'": [("tag", "mlflow.runName", "LIKE", "x_")],
    "dataset.context IN ('train')": [("dataset", "context", "IN", ("train",))],
    "metrics.a = 99999999999999999999": [("metric", "a", "=", 1e20)],
    "metrics.a = 1 and params.b = 'x AND y'": [
        ("metric", "a", "=", 1),
        ("param", "b", "=", "x AND y"),
    ],
}


@pytest.mark.parametrize("text", READ)
def test_a_filter_is_read(text: str) -> None:
    """Quotes, backticks, numbers, lists and aliases mean what MLflow's users expect."""
    assert parse_run_filter(text) == tuple(Comparison(*clause) for clause in READ[text])


REFUSED = {
    "metrics.a ~ 3": 10,
    "metrics.a = 'x'": 12,
    "params.a = 3": 11,
    "params.a = `x`": 11,
    "params.a = 'x": 11,
    "params.a > 'x'": 9,
    "foo.a = 1": 0,
    "nothing = 'x'": 0,
    "metrics.a = 1 OR metrics.b = 2": 14,
    "NOT metrics.a = 1": 0,
    "(metrics.a = 1)": 0,
    "metrics.a = 1 AND": 17,
    "metrics.a = 1 metrics.b = 2": 14,
    "metrics. = 1": 0,
    "metrics.a =": 11,
    "metrics.a": 9,
    "status > 'a'": 7,
    "status IN ('a')": 7,
    "run_id IN ()": 11,
    "run_id IN ('a',)": 15,
    "run_id NOT LIKE 'x'": 11,
    "start_time = '5'": 13,
    "tags.a IS 5": 10,
    "dataset.size = '5'": 0,
    "metrics.a = 1; DROP TABLE runs": 13,
    "metrics.a = 1 -- ": 14,
    "metrics.a = nan": 12,
    "'a' = 'a'": 0,
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_bad_filter_is_refused_with_a_pointer(text: str) -> None:
    """The message shows the text and a caret under the offending place."""
    with pytest.raises(InvalidRequest) as caught:
        parse_run_filter(text)
    shown, pointer = str(caught.value).splitlines()[-2:]
    assert f"position {REFUSED[text]}\n" in str(caught.value)
    assert shown == f"  {text}"
    assert pointer.index("^") - 2 == REFUSED[text]


def test_size_is_limited() -> None:
    """A filter of many clauses or much text is refused at once, not chewed on."""
    with pytest.raises(LimitExceeded, match="the limit is 100"):
        parse_run_filter(" AND ".join(["metrics.a = 1"] * 101))
    with pytest.raises(LimitExceeded, match="100,000"):
        parse_run_filter("(" * 100_001)
    with pytest.raises(InvalidRequest, match="position 0"):
        parse_run_filter("(" * 10_000)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in another way than by a typed error (B-SRC-07)."""
    for parse in (parse_run_filter, parse_experiment_filter):
        try:
            clauses = parse(text)
        except TrackstoreError:
            continue
        assert bool(clauses) == bool(text.strip())


def test_orders_are_read() -> None:
    """A field, then ASC or DESC in any case; ascending by default."""
    assert parse_run_order(["metrics.`a b` DESC", "start_time", "run_name asc"]) == (
        OrderBy("metric", "a b", descending=True),
        OrderBy("attribute", "start_time"),
        OrderBy("tag", "mlflow.runName"),
    )
    assert parse_experiment_order(["name"]) == (OrderBy("attribute", "name"),)


@pytest.mark.parametrize(
    "order",
    [["metrics.a up"], ["metrics.a", "metrics.a DESC"], ["dataset.name"], ["a b c"], [""], ["x"]],
)
def test_a_bad_order_is_refused(order: list[str]) -> None:
    """An unknown field, a field named twice, or another word than ASC or DESC."""
    with pytest.raises(InvalidRequest, match="order_by"):
        parse_run_order(order)


def test_experiments_have_their_own_fields() -> None:
    """What is a field of runs is none of experiments."""
    assert parse_experiment_filter("name LIKE 'a%' AND tags.b = 'c'") == (
        Comparison("attribute", "name", "LIKE", "a%"),
        Comparison("tag", "b", "=", "c"),
    )
    for text in ("metrics.a = 1", "start_time = 1", "experiment_id LIKE '1'"):
        with pytest.raises(InvalidRequest):
            parse_experiment_filter(text)
