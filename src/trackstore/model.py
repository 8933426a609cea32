"""The values that pass between the front and the stores: frozen, and nothing but data.

Times are milliseconds since the epoch (int64).  Text is exact code points without NUL or lone
surrogates.  An id is text; ids, names and keys are compared code point by code point.
"""

import math
import struct
from array import array
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")
C = TypeVar("C")

RUN_NAME = "mlflow.runName"
"""The tag that holds a run's name (rule B-RUN-05)."""

DATASET_CONTEXT = "mlflow.data.context"
"""The tag of an input that says what the dataset was used for, such as "training"."""


class LifecycleStage(StrEnum):
    ACTIVE = "active"
    DELETED = "deleted"


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class MetricLink(Struct, frozen=True, order=True):
    """What a metric point is about, besides its run: a logged model, a dataset, or both."""

    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class Metric(Struct, frozen=True, gc=False):
    """One point of a metric.  (key, step, timestamp, value) identifies it within its run."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    links: tuple[MetricLink, ...] = ()


class Dataset(Struct, frozen=True):
    """A dataset, known within its experiment by (name, digest)."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Struct, frozen=True):
    """A dataset that a run read, with tags such as `mlflow.data.context`."""

    dataset: Dataset
    tags: Mapping[str, str] = {}


class ModelOutput(Struct, frozen=True):
    """A logged model that a run wrote, and the step at which it did."""

    model_id: str
    step: int = 0


class Batch(Struct, frozen=True):
    """What one call of `BackendStore.log` applies, whole or not at all (rule B-BAT-01)."""

    metrics: Sequence[Metric] = ()
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    deleted_tags: Sequence[str] = ()
    inputs: Sequence[DatasetInput] = ()
    model_inputs: Sequence[str] = ()
    outputs: Sequence[ModelOutput] = ()


class Applied(Struct, frozen=True):
    """What a store found out while it applied a write."""

    absent_tags: tuple[str, ...] = ()
    """Tags that were to be deleted and were not there."""


class Experiment(Struct, frozen=True):
    id: str
    name: str
    artifact_location: str
    creation_time: int
    last_update_time: int
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE
    tags: Mapping[str, str] = {}


class ExperimentChanges(Struct, frozen=True):
    """The fields to change; those left `UNSET` stay as they are."""

    name: str | UnsetType = UNSET
    lifecycle_stage: LifecycleStage | UnsetType = UNSET
    last_update_time: int | UnsetType = UNSET
    tags: Mapping[str, str] = {}
    deleted_tags: Sequence[str] = ()


class Run(Struct, frozen=True):
    """A run with its params, tags and latest metric values.

    `lifecycle_stage` is active only while the run's own stage and its experiment's both are.
    `metrics` maps a key to its latest point, without links.
    """

    id: str
    experiment_id: str
    start_time: int
    artifact_uri: str
    user_id: str = ""
    status: RunStatus = RunStatus.RUNNING
    end_time: int | None = None
    deleted_time: int | None = None
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    metrics: Mapping[str, Metric] = {}
    inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[str, ...] = ()
    outputs: tuple[ModelOutput, ...] = ()

    @property
    def name(self) -> str:
        """The run's name, which is the tag `mlflow.runName`."""
        return self.tags.get(RUN_NAME, "")


class RunChanges(Struct, frozen=True):
    """The fields to change; those left `UNSET` stay as they are."""

    status: RunStatus | UnsetType = UNSET
    end_time: int | UnsetType | None = UNSET
    lifecycle_stage: LifecycleStage | UnsetType = UNSET
    deleted_time: int | UnsetType | None = UNSET
    tags: Mapping[str, str] = {}


class Page(Struct, Generic[T, C], frozen=True):
    """A finished page: `next` is where the page after it starts, or None at the end.

    A store's `next` is a cursor (the last row's sort key and id); the front's is opaque text.
    """

    items: Sequence[T]
    next: C | None = None


if TYPE_CHECKING:
    Integers = array[int]
    Doubles = array[float]
else:  # before Python 3.12 an array says nothing of what is in it
    Integers = Doubles = array


class MetricColumns(Struct, Generic[C], frozen=True):
    """Points of one metric as three columns of one length, in the order of its history.

    The arrays are of type codes "q", "q" and "d", so that numpy and others read them without a
    copy.  They hold no links.  `next` is that of a `Page`.
    """

    steps: Integers
    timestamps: Integers
    values: Doubles
    next: C | None = None


Entity = Literal["attribute", "metric", "param", "tag", "dataset"]
Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"
]
SortValue = str | int | float | None
RunCursor = tuple[int, str]
"""(start time, run id) of the last run of a page."""
ExperimentCursor = tuple[int, str]
"""(creation time, experiment id) of the last experiment of a page."""
MetricCursor = tuple[int, int, float]
"""(step, timestamp, value) of the last point of a page."""
SearchCursor = tuple[SortValue, ...]
"""The value of each `order_by` field of the last run of a page, then its start time and id."""


class Comparison(Struct, frozen=True):
    """One clause of a filter: `field operator value`.

    `value` is a number for metrics and times, text elsewhere, a tuple of texts for IN and
    NOT IN, and None for IS NULL and IS NOT NULL.
    """

    entity: Entity
    key: str
    operator: Operator
    value: str | int | float | tuple[str, ...] | None = None


class OrderBy(Struct, frozen=True):
    entity: Entity
    key: str
    descending: bool = False


class RunQuery(Struct, frozen=True):
    """Which runs, in which order.  All of `where` must hold; `stage` None means both.

    Equal rows are ordered by start time, newest first, then by id; `trackstore.search` is the
    reference for what every clause means.
    """

    experiment_ids: tuple[str, ...]
    where: tuple[Comparison, ...] = ()
    order_by: tuple[OrderBy, ...] = ()
    stage: LifecycleStage | None = LifecycleStage.ACTIVE


class ExperimentQuery(Struct, frozen=True):
    """Which experiments, in which order; ties as in `BackendStore.scan_experiments`."""

    where: tuple[Comparison, ...] = ()
    order_by: tuple[OrderBy, ...] = ()
    stage: LifecycleStage | None = LifecycleStage.ACTIVE


class SchemaChange(Struct, frozen=True):
    """From which schema to which a store was brought: two equal ones if it was up to date."""

    before: str | None
    """None if there was no store yet."""
    after: str


class ArtifactInfo(Struct, frozen=True):
    """A file, or a folder, which has no size."""

    path: str
    size: int | None = None
    is_folder: bool = False


class ArtifactVersion(Struct, frozen=True):
    """One version of a file: its id, its size in bytes, and when it was published, in ms."""

    id: str
    size: int
    time: int


class SignedURL(Struct, frozen=True):
    """Where a client sends or reads a file itself, with the headers that it has to send."""

    url: str
    headers: Mapping[str, str] = {}


class SignedUpload(Struct, frozen=True):
    """An upload that was begun: its id, and a URL for each part, the first part first."""

    id: str
    parts: Sequence[SignedURL]


NAN_IMAGE = -(2**63)
_DOUBLE = struct.Struct("<d")
_INT64 = struct.Struct("<q")
_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF


def order_image(value: float) -> int:
    """Return the int64 that sorts as the double does: NaN < -inf < ... < inf (rule B-MET-03).

    Equal images mean the same value: every NaN has one image, and -0.0 that of 0.0.
    """
    if value != value:  # noqa: PLR0124 - the definition of NaN, and three times faster than isnan
        return NAN_IMAGE
    bits: int = _INT64.unpack(_DOUBLE.pack(value + 0.0))[0]
    return bits if bits >= 0 else bits ^ _MAGNITUDE


def from_order_image(image: int) -> float:
    """Return the double of an image made by `order_image`."""
    if image == NAN_IMAGE:
        return math.nan
    value: float = _DOUBLE.unpack(_INT64.pack(image if image >= 0 else image ^ _MAGNITUDE))[0]
    return value
