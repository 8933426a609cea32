"""Filter and order text over registered models, their versions, and logged models.

The grammar is that of `trackstore.filters`; what may be named differs.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from trackstore import filters, limits
from trackstore.errors import InvalidRequest
from trackstore.filters import (
    ATTRIBUTES,
    LIST_OPERATORS,
    NUMBER_OPERATORS,
    TAGS,
    TEXT_OPERATORS,
    Grammar,
)
from trackstore.limits import check_text
from trackstore.model import Comparison, Entity, OrderBy

_LISTED = TEXT_OPERATORS + LIST_OPERATORS

MODELS = Grammar(
    prefixes={**TAGS, **ATTRIBUTES},
    attributes={"name": _LISTED},
    aliases={},
    entities={"tag": TEXT_OPERATORS},
    unordered=frozenset({"tag"}),
)
VERSIONS = replace(
    MODELS,
    attributes={
        "name": _LISTED,
        "run_id": _LISTED,
        "version_number": NUMBER_OPERATORS,
        "source_path": TEXT_OPERATORS,
    },
)
_TIMES = {"creation_timestamp": NUMBER_OPERATORS, "last_updated_timestamp": NUMBER_OPERATORS}
_MODEL_ORDER = replace(
    MODELS,
    attributes={"name": _LISTED, **_TIMES},
    aliases={"timestamp": ("attribute", "last_updated_timestamp")},
)
_VERSION_ORDER = replace(
    VERSIONS, attributes={"name": _LISTED, "version_number": NUMBER_OPERATORS, **_TIMES}
)

_CREATED: tuple[Entity, str] = ("attribute", "creation_timestamp")
_UPDATED: tuple[Entity, str] = ("attribute", "last_updated_timestamp")
_RENAMED: Mapping[str, tuple[Entity, str]] = {
    "creation_time": _CREATED,
    "creation_timestamp_ms": _CREATED,
    "last_updated_time": _UPDATED,
    "last_updated_timestamp_ms": _UPDATED,
}
LOGGED_MODELS = Grammar(
    prefixes={
        **TAGS,
        **ATTRIBUTES,
        **dict.fromkeys(("metric", "metrics"), "metric"),
        **dict.fromkeys(("param", "params"), "param"),
    },
    attributes={
        **dict.fromkeys(
            ("name", "model_id", "model_type", "status", "source_run_id", "experiment_id"), _LISTED
        ),
        **_TIMES,
    },
    aliases=_RENAMED,
    entities={"metric": NUMBER_OPERATORS, "param": _LISTED, "tag": _LISTED},
    unordered=frozenset({"param", "tag"}),
)


class DatasetFilter(Struct, frozen=True):
    """Metrics on the datasets of a name, and of a digest if it is given."""

    name: str
    digest: str = ""


class LoggedModelOrder(Struct, frozen=True):
    """A field to sort logged models by, such as `metrics.accuracy`, on one dataset or on any."""

    field: str
    descending: bool = False
    dataset: DatasetFilter | None = None


class SortField(Struct, frozen=True):
    """A field to sort by, once its name is understood."""

    by: OrderBy
    dataset: DatasetFilter | None = None


@lru_cache(maxsize=256)
def parse_model_filter(text: str) -> tuple[Comparison, ...]:
    """Return the clauses of a filter over registered models: their name and their tags."""
    return filters.parse_filter(text, MODELS)


@lru_cache(maxsize=256)
def parse_version_filter(text: str) -> tuple[Comparison, ...]:
    """Return the clauses of a filter over versions.

    That is over name, version_number, run_id, source_path and tags.
    """
    return filters.parse_filter(text, VERSIONS)


@lru_cache(maxsize=256)
def parse_logged_model_filter(text: str) -> tuple[Comparison, ...]:
    """Return the clauses of a filter over logged models.

    That is over metrics, params, tags, and name, model_id, model_type, status, source_run_id and
    the times.
    """
    return filters.parse_filter(text, LOGGED_MODELS)


def parse_model_order(texts: Sequence[str]) -> tuple[OrderBy, ...]:
    """Return the sort fields of texts such as "last_updated_timestamp DESC"."""
    return filters.parse_order(texts, _MODEL_ORDER)


def parse_version_order(texts: Sequence[str]) -> tuple[OrderBy, ...]:
    """Return the sort fields of texts such as "version_number DESC"."""
    return filters.parse_order(texts, _VERSION_ORDER)


def parse_logged_model_order(orders: Sequence[LoggedModelOrder]) -> tuple[SortField, ...]:
    """Return the sort fields of logged models; each once for each dataset."""
    limits.check_size("order_by", orders, limits.ORDER_FIELDS)
    found = tuple(_sort_field(order) for order in orders)
    named = [(field.by.entity, field.by.key, field.dataset) for field in found]
    for entity, key, dataset in named:
        if named.count((entity, key, dataset)) > 1:
            raise InvalidRequest(f"order_by: {entity} {key!r} is named twice")
    return found


def _sort_field(order: LoggedModelOrder) -> SortField:
    (by,) = filters.parse_order([order.field], LOGGED_MODELS)
    if order.dataset is not None:
        check_dataset(order.dataset)
    return SortField(replace(by, descending=order.descending), order.dataset)


def check_dataset(dataset: DatasetFilter) -> DatasetFilter:
    """Return a dataset that metrics may be on, which has a name."""
    check_text("the name of a dataset", dataset.name, limits.DATASET_NAME)
    check_text("the digest of a dataset", dataset.digest, limits.DATASET_DIGEST)
    if not dataset.name:
        raise InvalidRequest("`dataset_name` in the `datasets` clause must be specified.")
    return dataset
