"""What searches for registered models, their versions and logged models mean.

All are answered by reading what a store lists, which the filter narrows where it can.  What
compares and sorts is that of `trackstore.search`: a missing value satisfies nothing and sorts
last, of NaN only `!=` is true, and it sorts before what is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import Any, TypeVar

from msgspec import Struct

from trackstore.model import Comparison, LifecycleStage, OrderBy, Page, SearchCursor, SortValue
from trackstore.model_filters import DatasetFilter, SortField
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import LoggedModel, ModelMetric, ModelVersion, RegisteredModel
from trackstore.search import field_rank, holds

T = TypeVar("T", RegisteredModel, ModelVersion, LoggedModel)

SCAN_PAGE = 1_000
IS_PROMPT = "mlflow.prompt.is_prompt"
"""The tag of registered models, and their versions, that are MLflow's prompts."""

_NAMES = {
    "model_id": "id",
    "version_number": "version",
    "source_path": "source",
    "creation_timestamp": "creation_time",
    "last_updated_timestamp": "last_update_time",
}
"""The attributes that are called otherwise in filters."""
_NUMBERS = frozenset({"version_number", "creation_timestamp", "last_updated_timestamp"})

MODEL_TIES = (OrderBy("attribute", "name"),)
VERSION_TIES = (
    OrderBy("attribute", "name"),
    OrderBy("attribute", "version_number", descending=True),
)
LOGGED_MODEL_TIES = (
    OrderBy("attribute", "creation_timestamp", descending=True),
    OrderBy("attribute", "model_id"),
)


class ModelQuery(Struct, frozen=True):
    """Which registered models or versions, in which order; equal ones by name and version."""

    where: tuple[Comparison, ...]
    order_by: tuple[OrderBy, ...]


class LoggedModelQuery(Struct, frozen=True):
    """Which logged models, in which order; equal ones newest first, then by id.

    With `datasets`, the metrics in `where` are those on one of them, of which a model has any.
    """

    experiment_ids: tuple[str, ...]
    where: tuple[Comparison, ...]
    datasets: tuple[DatasetFilter, ...]
    order_by: tuple[SortField, ...]


def is_cursor(cursor: SearchCursor, order_by: Sequence[OrderBy], ties: Sequence[OrderBy]) -> bool:
    """Tell whether `cursor` can have come from a search with this order."""
    fields = [*order_by, *ties]
    return len(cursor) == len(fields) and all(
        type(value) in (_type_of(field), type(None))
        for value, field in zip(cursor, fields, strict=True)
    )


def _type_of(field: OrderBy) -> type:
    if field.entity == "metric":
        return float
    return int if field.key in _NUMBERS else str


def search_models(
    store: RegistryStore, query: ModelQuery, after: SearchCursor | None, limit: int
) -> Page[RegisteredModel, SearchCursor]:
    where = _without_prompts(query.where)
    found = (model for model in _models(store) if _is_wanted(model, query.where, where))
    return _page(found, _plain(query.order_by, MODEL_TIES), after, limit)


def search_versions(
    store: RegistryStore, query: ModelQuery, after: SearchCursor | None, limit: int
) -> Page[ModelVersion, SearchCursor]:
    where = _without_prompts(query.where)
    found = (each for each in _versions(store, query.where) if _is_wanted(each, query.where, where))
    return _page(found, _plain(query.order_by, VERSION_TIES), after, limit)


def search_logged_models(
    store: LoggedModelStore, query: LoggedModelQuery, after: SearchCursor | None, limit: int
) -> Page[LoggedModel, SearchCursor]:
    has_metrics = any(clause.entity == "metric" for clause in query.where)
    found = (
        model
        for model in _logged_models(store, query)
        if all(
            holds(clause, _logged_values(model, clause, query.datasets)) for clause in query.where
        )
        and (not query.datasets or has_metrics or any(_on(query.datasets, model)))
    )
    fields = [*query.order_by, *map(SortField, LOGGED_MODEL_TIES)]
    return _page(found, [(f.by, _logged_sorter(f)) for f in fields], after, limit)


# What is read


def _models(store: RegistryStore) -> Iterator[RegisteredModel]:
    after = None
    while True:
        page = store.scan_registered_models(after, SCAN_PAGE)
        yield from page.items
        if (after := page.next) is None:
            return


def _versions(store: RegistryStore, where: Sequence[Comparison]) -> Iterator[ModelVersion]:
    name, run_id = _equal(where, "name"), _equal(where, "run_id")
    after = None
    while True:
        page = store.scan_model_versions(name, run_id, after, SCAN_PAGE)
        yield from page.items
        if (after := page.next) is None:
            return


def _logged_models(store: LoggedModelStore, query: LoggedModelQuery) -> Iterator[LoggedModel]:
    run_id = _equal(query.where, "source_run_id")
    for experiment_id in dict.fromkeys(query.experiment_ids):
        after = None
        while True:
            page = store.scan_logged_models(
                experiment_id, run_id, LifecycleStage.ACTIVE, after, SCAN_PAGE
            )
            yield from page.items
            if (after := page.next) is None:
                break


def _equal(where: Sequence[Comparison], key: str) -> str | None:
    """Return the text that an attribute must equal, if the filter says so."""
    for clause in where:
        if (clause.entity, clause.key, clause.operator) == ("attribute", key, "="):
            return str(clause.value)
    return None


# What is wanted


def _without_prompts(where: Sequence[Comparison]) -> tuple[Comparison, ...] | None:
    """Return the clauses to hold besides being no prompt; None if prompts are asked for.

    Other than for a filter on any other tag, what has none is no prompt.
    """
    about = [c for c in where if (c.entity, c.key) == ("tag", IS_PROMPT)]
    if about and (about[0].operator, str(about[0].value).lower()) in {
        ("=", "true"),
        ("!=", "false"),
    }:
        return None
    return tuple(clause for clause in where if clause not in about)


def _is_wanted(
    item: RegisteredModel | ModelVersion,
    asked: Sequence[Comparison],
    besides: Sequence[Comparison] | None,
) -> bool:
    if besides is not None and item.tags.get(IS_PROMPT) == "true":
        return False
    where = asked if besides is None else besides
    return all(holds(clause, _values(item, clause.entity, clause.key)) for clause in where)


def _values(item: Any, entity: str, key: str) -> Iterator[Any]:
    value = _value(item, entity, key)
    if value is not None:
        yield value


def _value(item: Any, entity: str, key: str) -> Any:
    if entity == "tag":
        return item.tags.get(key)
    if entity == "param":
        return item.params.get(key)
    return getattr(item, _NAMES.get(key, key))


def _logged_values(
    model: LoggedModel, clause: Comparison, datasets: Sequence[DatasetFilter]
) -> Iterator[Any]:
    if clause.entity != "metric":
        return _values(model, clause.entity, clause.key)
    return (each.point.value for each in _on(datasets, model) if each.point.key == clause.key)


def _on(datasets: Sequence[DatasetFilter], model: LoggedModel) -> Iterator[ModelMetric]:
    for each in model.metrics:
        if not datasets or any(
            each.dataset_name == wanted.name and wanted.digest in {"", each.dataset_digest}
            for wanted in datasets
        ):
            yield each


# The order

Sorter = Callable[[Any], SortValue]


def _plain(order_by: Sequence[OrderBy], ties: Sequence[OrderBy]) -> list[tuple[OrderBy, Sorter]]:
    return [(by, _sorter(by)) for by in (*order_by, *ties)]


def _sorter(by: OrderBy) -> Sorter:
    def value(item: Any) -> SortValue:
        found = _value(item, by.entity, by.key)
        return str(found) if isinstance(found, str) else found

    return value


def _logged_sorter(field: SortField) -> Sorter:
    """Return what reads a metric's latest value by time: runs count their steps each by itself."""
    if field.by.entity != "metric":
        return _sorter(field.by)
    datasets = () if field.dataset is None else (field.dataset,)

    def value(model: LoggedModel) -> SortValue:
        found = [each for each in _on(datasets, model) if each.point.key == field.by.key]
        newest = max(found, key=_age, default=None)
        return None if newest is None else newest.point.value

    return value


def _age(metric: ModelMetric) -> tuple[int, int, str]:
    return metric.point.timestamp, metric.point.step, metric.run_id


def _page(
    found: Iterable[T],
    fields: Sequence[tuple[OrderBy, Sorter]],
    after: SearchCursor | None,
    limit: int,
) -> Page[T, SearchCursor]:
    def rank(cursor: SearchCursor) -> tuple[Any, ...]:
        return tuple(
            field_rank(value, descending=by.descending)
            for value, (by, _) in zip(cursor, fields, strict=True)
        )

    start = None if after is None else rank(after)
    ranked = (
        (place, cursor, item)
        for item in found
        for cursor in [tuple(value(item) for _, value in fields)]
        for place in [rank(cursor)]
        if start is None or place > start
    )
    rows = nsmallest(limit + 1, ranked, key=lambda row: row[0])
    more = len(rows) > limit
    return Page([item for *_, item in rows[:limit]], rows[limit - 1][1] if more else None)
