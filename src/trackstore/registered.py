"""The values of the model registry, and logged models: frozen, and nothing but data.

A *logged model* is what a run saved; a *registered model* is a name, under which versions are
numbered.  As in `trackstore.model`, times are milliseconds since the epoch and text is exact.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from trackstore.model import LifecycleStage, Metric


class VersionStage(StrEnum):
    """Where a version of a registered model is in its life, as its owners see it."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class VersionStatus(StrEnum):
    PENDING = "PENDING_REGISTRATION"
    FAILED = "FAILED_REGISTRATION"
    READY = "READY"


class ModelVersion(Struct, frozen=True):
    """A version of the registered model `name`."""

    name: str
    version: int
    """1 or more; 0 of one that the store is to number."""
    creation_time: int
    last_update_time: int
    source: str
    """The location that it was made from, as the caller gave it."""
    storage_location: str
    """Where its artifacts lie: `source`, resolved."""
    run_id: str = ""
    model_id: str = ""
    """The logged model that it was made from."""
    user_id: str = ""
    run_link: str = ""
    description: str = ""
    stage: VersionStage = VersionStage.NONE
    status: VersionStatus = VersionStatus.READY
    status_message: str = ""
    tags: Mapping[str, str] = {}
    aliases: tuple[str, ...] = ()
    """Those that point to it, sorted."""


class ModelVersionChanges(Struct, frozen=True):
    """The fields to change; those left `UNSET` stay as they are."""

    description: str | UnsetType = UNSET
    stage: VersionStage | UnsetType = UNSET
    archive_others: bool = False
    """With `stage`: all other versions in that stage become `ARCHIVED` in the same step."""
    status: VersionStatus | UnsetType = UNSET
    status_message: str | UnsetType = UNSET
    last_update_time: int | UnsetType = UNSET
    tags: Mapping[str, str] = {}
    deleted_tags: Sequence[str] = ()


class RegisteredModel(Struct, frozen=True):
    """A name with numbered versions."""

    name: str
    creation_time: int
    last_update_time: int
    description: str = ""
    tags: Mapping[str, str] = {}
    aliases: Mapping[str, int] = {}
    """The version that each alias points to."""
    latest: tuple[ModelVersion, ...] = ()
    """Of each stage that has any its newest version, by version."""


class RegisteredModelChanges(Struct, frozen=True):
    """The fields to change; those left `UNSET` stay as they are."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    last_update_time: int | UnsetType = UNSET
    tags: Mapping[str, str] = {}
    deleted_tags: Sequence[str] = ()
    aliases: Mapping[str, int] = {}
    deleted_aliases: Sequence[str] = ()


class LoggedModelStatus(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class ModelMetric(Struct, frozen=True):
    """The latest point of a metric that a run logged about a logged model, on one dataset or none.

    The links of `point` are none: the fields here say what it is about.
    """

    run_id: str
    point: Metric
    dataset_name: str = ""
    dataset_digest: str = ""


class LoggedModel(Struct, frozen=True):
    """A model that was saved in an experiment, mostly by a run.

    `lifecycle_stage` is its own: it outlives its run and, as long as that is not purged, its
    experiment.  `metrics` has, for each run, key and dataset of the points that are linked with
    the model, the greatest by (step, timestamp, value), in the order of run, key and dataset.
    """

    id: str
    experiment_id: str
    name: str
    creation_time: int
    last_update_time: int
    artifact_uri: str
    source_run_id: str = ""
    model_type: str = ""
    status: LoggedModelStatus = LoggedModelStatus.PENDING
    status_message: str = ""
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    metrics: tuple[ModelMetric, ...] = ()


class LoggedModelChanges(Struct, frozen=True):
    """The fields to change; those left `UNSET` stay as they are."""

    status: LoggedModelStatus | UnsetType = UNSET
    status_message: str | UnsetType = UNSET
    lifecycle_stage: LifecycleStage | UnsetType = UNSET
    last_update_time: int | UnsetType = UNSET
    params: Mapping[str, str] = {}
    """Each is written once."""
    tags: Mapping[str, str] = {}
    deleted_tags: Sequence[str] = ()


ModelVersionCursor = tuple[str, int]
"""(name, version) of the last version of a page."""
LoggedModelCursor = tuple[int, str]
"""(creation time, model id) of the last model of a page."""
