"""Queries over runs: every clause that the filter language can say, of values that collide."""

from collections.abc import Sequence

from hypothesis import strategies as st

from trackstore.model import (
    Comparison,
    Entity,
    Operator,
    OrderBy,
    RunQuery,
)
from trackstore_conformance.sequential.strategies import (
    EDGE_FLOATS,
    EDGE_INTS,
    VALUES,
    biased,
    keys,
    some_stage,
    tag_keys,
    values,
)

TEXT: tuple[Operator, ...] = ("=", "!=", "LIKE", "ILIKE")
NULL: tuple[Operator, ...] = ("IS NULL", "IS NOT NULL")
LIST: tuple[Operator, ...] = ("IN", "NOT IN")
NUMERIC: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")

PATTERNS = ("%", "_", "x%", "%X", "X_X", "%Y%", "X", *VALUES)
patterns = biased(
    st.sampled_from(PATTERNS),
    st.sampled_from(["%%", "_%_", "\\%", "%\\", "[x]", "*", "É%", "%K", "a_", "__", "%'%", "x%x%x"])
    | values,
)
wanted_numbers = biased(
    st.sampled_from([0, 1, -1, 9, 10.0, 1.0, 0.5]),
    st.sampled_from([*EDGE_INTS, *(number for number in EDGE_FLOATS if number == number)]),
)
NUMBER_FIELDS = ("start_time", "end_time")
TEXT_FIELDS: dict[str, st.SearchStrategy[str]] = {
    "user_id": patterns,
    "status": st.sampled_from(["RUNNING", "FINISHED", "running", "F%", "%N%", "_______"]),
    "artifact_uri": st.sampled_from(["", "%", "a%", "A%", "%5%"]),
}


def every_clause(key: str) -> list[Comparison]:
    """Return each operator on the param, the tag and the metric `key`, with values that collide."""
    texts: tuple[Entity, ...] = ("param", "tag")
    return [
        *(Comparison(entity, key, o, p) for entity in texts for o in TEXT for p in PATTERNS),
        *(Comparison(entity, key, operator) for entity in texts for operator in NULL),
        *(Comparison("metric", key, operator, n) for operator in NUMERIC for n in (0, 1.0, -1)),
    ]


@st.composite
def clauses(draw: st.DrawFn, run_ids: Sequence[str] = ()) -> Comparison:
    entity: Entity = draw(
        st.sampled_from(["metric", "param", "param", "tag", "tag", "attribute", "dataset"])
    )
    if entity == "metric":
        return number_clause(draw, entity, draw(keys))
    if entity == "dataset":
        return dataset_clause(draw)
    if entity == "attribute":
        return attribute_clause(draw, run_ids)
    key = draw(tag_keys if entity == "tag" else keys)
    return text_clause(draw, entity, key, patterns, NULL)


def number_clause(draw: st.DrawFn, entity: Entity, key: str) -> Comparison:
    return Comparison(entity, key, draw(st.sampled_from(NUMERIC)), draw(wanted_numbers))


def text_clause(
    draw: st.DrawFn,
    entity: Entity,
    key: str,
    texts: st.SearchStrategy[str],
    more: tuple[Operator, ...] = (),
) -> Comparison:
    operator = draw(st.sampled_from(TEXT + more))
    if operator in NULL:
        return Comparison(entity, key, operator)
    if operator in LIST:
        options = draw(st.lists(texts, min_size=1, max_size=3))
        return Comparison(entity, key, operator, tuple(options))
    return Comparison(entity, key, operator, draw(texts))


def attribute_clause(draw: st.DrawFn, run_ids: Sequence[str]) -> Comparison:
    field = draw(st.sampled_from([*NUMBER_FIELDS, *TEXT_FIELDS, "run_id"]))
    if field in NUMBER_FIELDS:
        return number_clause(draw, "attribute", field)
    if field == "run_id":
        ids = st.sampled_from([*run_ids, "5%", "%1", "no such run"])
        return text_clause(draw, "attribute", field, ids, LIST)
    return text_clause(draw, "attribute", field, TEXT_FIELDS[field])


def dataset_clause(draw: st.DrawFn) -> Comparison:
    field = draw(st.sampled_from(["name", "digest", "context"]))
    texts = st.sampled_from(["d", "e", "D", "1", "2", "%", "_"]) | patterns
    return text_clause(draw, "dataset", field, texts, LIST)


order_fields: st.SearchStrategy[tuple[Entity, str]] = st.one_of(
    st.tuples(st.just("metric"), keys),
    st.tuples(st.just("param"), keys),
    st.tuples(st.just("tag"), tag_keys),
    st.tuples(st.just("attribute"), st.sampled_from([*NUMBER_FIELDS, *TEXT_FIELDS, "run_id"])),
)


@st.composite
def queries(
    draw: st.DrawFn, experiment_ids: Sequence[str], run_ids: Sequence[str] = ()
) -> RunQuery:
    fields = draw(
        biased(st.lists(order_fields, max_size=1), st.lists(order_fields, max_size=3, unique=True))
    )
    some_ids = st.lists(st.sampled_from(experiment_ids), max_size=3)
    several = st.lists(clauses(run_ids), min_size=2, max_size=3)
    return RunQuery(
        experiment_ids=tuple(draw(biased(st.just(experiment_ids), some_ids))),
        where=tuple(draw(biased(st.lists(clauses(run_ids), max_size=1), several))),
        order_by=tuple(OrderBy(entity, key, draw(st.booleans())) for entity, key in fields),
        stage=draw(some_stage),
    )
