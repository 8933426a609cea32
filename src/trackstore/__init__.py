"""The storage layer of experiment tracking: one front over any backend and artifact store.

import trackstore

with trackstore.open() as tracker:
    experiment = tracker.get_or_create_experiment("iris")
    run = tracker.create_run(experiment.id)
    tracker.log(run.id, params={"depth": 3}, metrics=[])
"""

from trackstore.artifacts import ArtifactFolder, Artifacts
from trackstore.errors import (
    AlreadyExists,
    BackendError,
    Conflict,
    InvalidRequest,
    InvalidState,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.model import (
    Applied,
    ArtifactInfo,
    ArtifactVersion,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    MetricColumns,
    MetricLink,
    ModelOutput,
    Page,
    Run,
    RunStatus,
)
from trackstore.model_filters import DatasetFilter, LoggedModelOrder
from trackstore.model_registry import ModelRegistry
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.opening import open_tracker as open  # noqa: A004 - trackstore.open reads well
from trackstore.parallel import Progress
from trackstore.registered import (
    LoggedModel,
    LoggedModelStatus,
    ModelMetric,
    ModelVersion,
    RegisteredModel,
    VersionStage,
    VersionStatus,
)
from trackstore.registry import (
    open_artifact_store,
    open_backend_store,
    open_logged_model_store,
    open_registry_store,
)
from trackstore.stores import ArtifactStore, BackendStore
from trackstore.tracker import Tracker

__all__ = [
    "open",
    "Tracker",
    "Artifacts",
    "ArtifactFolder",
    "open_backend_store",
    "open_artifact_store",
    "open_registry_store",
    "open_logged_model_store",
    "ModelRegistry",
    "BackendStore",
    "RegistryStore",
    "LoggedModelStore",
    "ArtifactStore",
    "Experiment",
    "Run",
    "RunStatus",
    "LifecycleStage",
    "Metric",
    "MetricColumns",
    "MetricLink",
    "Batch",
    "Applied",
    "Dataset",
    "DatasetInput",
    "ModelOutput",
    "ArtifactInfo",
    "RegisteredModel",
    "ModelVersion",
    "VersionStage",
    "VersionStatus",
    "LoggedModel",
    "LoggedModelStatus",
    "LoggedModelOrder",
    "DatasetFilter",
    "ModelMetric",
    "ArtifactVersion",
    "Progress",
    "Page",
    "TrackstoreError",
    "InvalidRequest",
    "LimitExceeded",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "InvalidState",
    "PermissionDenied",
    "Unsupported",
    "BackendError",
    "Unavailable",
]
