"""What a name, key, value or batch may be, settled once before it reaches a store.

Values come out as a store may keep them: every NaN the same one, -0.0 as 0.0, a repeated tag
with its last value, an empty run name left out.  Lengths are in `trackstore.limits`.
"""

import math
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from msgspec.structs import replace

from trackstore import limits
from trackstore.errors import InvalidRequest, LimitExceeded, NotFound
from trackstore.limits import check_int64, check_text, is_int64, shown
from trackstore.model import (
    RUN_NAME,
    Batch,
    Dataset,
    DatasetInput,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    RunStatus,
)

T = TypeVar("T")
Pairs = Mapping[str, T] | Iterable[tuple[str, T]]

_KEY = re.compile(r"[/\w.\- :]*")


def check_key(key: str) -> str:
    """Return a key of a metric, param or tag if it is of MLflow's alphabet, at most 250 long.

    That is letters, digits, `_`, `-`, `.`, `:`, space and `/`, and it must be a normal relative
    path: no leading, trailing or doubled slash, no `.` or `..` between slashes.
    """
    return _checked_key(check_text("a key", key, limits.KEY))


@lru_cache(maxsize=65_536)
def _checked_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            f"the key {shown(key)} may hold letters, digits, _ - . : / and spaces only"
        )
    if not key or key != posixpath.normpath(key) or key.startswith(("/", "..")) or key == ".":
        raise InvalidRequest(f"the key {shown(key)} must be a normal relative path")
    return key


def check_id(what: str, ident: object) -> str:
    """Return an id that a store may be asked for.

    Raises `NotFound` at once if no store can know it (rule B-RUN-06).
    """
    if not isinstance(ident, str):
        raise InvalidRequest(f"the id of a {what} must be text, not {type(ident).__name__}")
    if not 0 < len(ident) <= 256 or not ident.isprintable() or not limits.is_encodable(ident):
        raise NotFound(f"there is no {what} {shown(ident)}")
    return ident


def check_ids(experiment_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of experiments to search in."""
    if isinstance(experiment_ids, str):
        raise InvalidRequest("experiment_ids must be a list of ids")
    limits.check_size("experiment_ids", experiment_ids, limits.EXPERIMENTS_PER_SEARCH)
    return tuple(check_id("experiment", ident) for ident in experiment_ids)


def check_experiment_name(name: object) -> str:
    text = check_text("the name of an experiment", name, limits.EXPERIMENT_NAME)
    if not text.strip():
        raise InvalidRequest("the name of an experiment must not be empty")
    return text


def check_stage(stage: LifecycleStage | str | None) -> LifecycleStage | None:
    return None if stage is None else member("stage", LifecycleStage, stage)


def check_status(status: RunStatus | str) -> RunStatus:
    return member("status", RunStatus, status)


def member(what: str, kind: type[T], value: object) -> T:
    """Return the member of an enum that has a value, or raise `InvalidRequest`."""
    try:
        return kind(value)  # type: ignore[call-arg]
    except ValueError:
        known = ", ".join(str(member) for member in kind)  # type: ignore[attr-defined]
        raise InvalidRequest(f"unknown {what} {shown(value)}; there are {known}") from None


def check_tags(tags: Pairs[str]) -> dict[str, str]:
    """Return tags by key, of a repeated one the last, without an empty run name."""
    found = {check_key(key): _tag_value(key, value) for key, value in pairs("tag", tags)}
    if found.get(RUN_NAME) == "":
        del found[RUN_NAME]
    return found


def _tag_value(key: str, value: object) -> str:
    limit = limits.RUN_NAME if key == RUN_NAME else limits.TAG_VALUE
    return check_text(f"the value of tag {key!r}", value, limit)


def check_deleted_tags(keys: Iterable[str], tags: Mapping[str, str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(check_key(key) for key in keys))
    if RUN_NAME in found:
        raise InvalidRequest(f"the tag {RUN_NAME!r} is the run's name and cannot be deleted")
    for key in found:
        if key in tags:
            raise InvalidRequest(f"the tag {key!r} is both set and deleted")
    return found


def check_params(params: Pairs[str | float]) -> dict[str, str]:
    """Return params by key; numbers become text.  A repeated key raises `InvalidRequest`."""
    found: dict[str, str] = {}
    for key, value in pairs("param", params):
        if check_key(key) in found:
            raise InvalidRequest(f"the param {key!r} is given twice")
        text = str(value) if isinstance(value, (int, float)) else value
        found[key] = check_text(f"the value of param {key!r}", text, limits.PARAM_VALUE)
    return found


def pairs(what: str, given: Pairs[T]) -> Iterable[tuple[str, T]]:
    """Yield keys with their values, or raise `InvalidRequest` for what is no such pair."""
    for pair in given.items() if isinstance(given, Mapping) else given:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise InvalidRequest(f"a {what} must be a pair of a key and a value")
        yield pair


def check_metric(point: Metric) -> Metric:
    """Return the point with its value as stored.

    Raises `InvalidRequest` unless the value is a number, the step an int64 and the timestamp an
    int64 in ms that is not negative (rules B-MET-04 and B-MET-05).
    """
    check_key(point.key)
    if not (is_int64(point.step) and is_int64(point.timestamp, 0)):
        check_int64(f"the step of metric {point.key!r}", point.step)
        check_int64(f"the timestamp of metric {point.key!r}", point.timestamp, least=0)
    for link in point.links:
        _check_link(link)
    value = check_value(point.key, point.value)
    return point if value is point.value else replace(point, value=value)


def check_value(key: str, value: object) -> float:
    """Return the double that is kept: the one NaN for every NaN, 0.0 for -0.0."""
    if type(value) is float:
        if value != value:  # noqa: PLR0124 - NaN
            return math.nan
        return value or 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return check_value(key, float(value))
        except OverflowError:
            raise InvalidRequest(f"the value of metric {key!r} does not fit a double") from None
    raise InvalidRequest(
        f"the value of metric {key!r} must be a number, not {type(value).__name__}"
    )


def _check_link(link: MetricLink) -> None:
    check_text("the model id of a metric", link.model_id, limits.MODEL_ID)
    check_text("the dataset name of a metric", link.dataset_name, limits.DATASET_NAME)
    check_text("the dataset digest of a metric", link.dataset_digest, limits.DATASET_DIGEST)


def check_input(read: DatasetInput) -> DatasetInput:
    data: Dataset = read.dataset
    for what, value, limit in (
        ("name", data.name, limits.DATASET_NAME),
        ("digest", data.digest, limits.DATASET_DIGEST),
    ):
        if not check_text(f"the {what} of a dataset", value, limit):
            raise InvalidRequest(f"the {what} of a dataset must not be empty")
    check_text("the source type of a dataset", data.source_type, limits.DATASET_SOURCE_TYPE)
    check_text("the source of a dataset", data.source, limits.DATASET_SOURCE)
    check_text("the schema of a dataset", data.schema or "", limits.DATASET_SCHEMA)
    check_text("the profile of a dataset", data.profile or "", limits.DATASET_PROFILE)
    for key, value in read.tags.items():
        check_text("the key of an input tag", key, limits.INPUT_TAG_KEY)
        check_text(f"the value of input tag {shown(key)}", value, limits.INPUT_TAG_VALUE)
    return read


def check_output(output: ModelOutput) -> ModelOutput:
    check_model_id(output.model_id)
    check_int64("the step of a model output", output.step)
    return output


def check_model_id(model_id: str) -> str:
    if not check_text("the id of a model", model_id, limits.MODEL_ID):
        raise InvalidRequest("the id of a model must not be empty")
    return model_id


def checked_batch(
    *,
    metrics: Iterable[Metric] = (),
    params: Pairs[str | float] = (),
    tags: Pairs[str] = (),
    deleted_tags: Iterable[str] = (),
    inputs: Iterable[DatasetInput] = (),
    model_inputs: Iterable[str] = (),
    outputs: Iterable[ModelOutput] = (),
) -> Batch:
    """Return a batch that a store may apply, or raise for the first value that breaks a rule."""
    set_tags = check_tags(tags)
    batch = Batch(
        metrics=[check_metric(point) for point in metrics],
        params=check_params(params),
        tags=set_tags,
        deleted_tags=check_deleted_tags(deleted_tags, set_tags),
        inputs=[check_input(read) for read in inputs],
        model_inputs=[check_model_id(model_id) for model_id in model_inputs],
        outputs=[check_output(output) for output in outputs],
    )
    _check_batch_size(batch)
    return batch


def _check_batch_size(batch: Batch) -> None:
    size = 32 * len(batch.metrics) + sum(len(point.key) for point in batch.metrics)
    size += _text_size(batch.params) + _text_size(batch.tags)
    for read in batch.inputs:
        size += len(read.dataset.schema or "") + len(read.dataset.profile or "")
    if size > limits.BATCH_CODE_POINTS:
        raise LimitExceeded(
            f"a batch of {size:,} code points is over the limit of {limits.BATCH_CODE_POINTS:,}: "
            "send it in parts"
        )


def _text_size(texts: Mapping[str, str]) -> int:
    return sum(len(key) + len(value) for key, value in texts.items())
