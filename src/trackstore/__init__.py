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
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Page,
    Run,
    RunStatus,
)
from trackstore.opening import open_tracker as open  # noqa: A004 - trackstore.open reads well
from trackstore.registry import open_artifact_store, open_backend_store
from trackstore.stores import ArtifactStore, BackendStore
from trackstore.tracker import Tracker

__all__ = [
    "open",
    "Tracker",
    "Artifacts",
    "ArtifactFolder",
    "open_backend_store",
    "open_artifact_store",
    "BackendStore",
    "ArtifactStore",
    "Experiment",
    "Run",
    "RunStatus",
    "LifecycleStage",
    "Metric",
    "MetricLink",
    "Batch",
    "Applied",
    "Dataset",
    "DatasetInput",
    "ModelOutput",
    "ArtifactInfo",
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
