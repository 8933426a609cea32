"""Stores around other stores, which forward every call: what wraps a store overrides a few."""

from collections.abc import Iterable
from typing import Any, Self

from trackstore.model import (
    Applied,
    ArtifactInfo,
    ArtifactVersion,
    Batch,
    Experiment,
    ExperimentChanges,
    ExperimentCursor,
    LifecycleStage,
    Metric,
    MetricCursor,
    Page,
    Run,
    RunChanges,
    RunCursor,
)
from trackstore.registry import open_artifact_store, open_backend_store
from trackstore.stores import ArtifactReader, ArtifactStore, BackendStore, Store


def copy_claims(wrapper: Store, inner: Store) -> None:
    """Let a wrapper claim what the store inside claims."""
    wrapper.ephemeral = inner.ephemeral  # type: ignore[misc]  # of this object, not of its class
    wrapper.guarantees = inner.guarantees  # type: ignore[misc]


class ForwardingBackendStore(BackendStore):
    """A backend store around another, which does exactly what the other does."""

    def __init__(self, inner: BackendStore) -> None:
        self.inner = inner
        copy_claims(self, inner)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(open_backend_store(url))

    def close(self) -> None:
        self.inner.close()

    def create_experiment(self, experiment: Experiment) -> Experiment:
        return self.inner.create_experiment(experiment)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self.inner.get_experiment(experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        return self.inner.find_experiment(name)

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        return self.inner.update_experiment(experiment_id, changes)

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        return self.inner.scan_experiments(stage, after, limit)

    def create_run(self, run: Run) -> Run:
        return self.inner.create_run(run)

    def get_run(self, run_id: str) -> Run:
        return self.inner.get_run(run_id)

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self.inner.update_run(run_id, changes)

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        return self.inner.scan_runs(experiment_id, stage, after, limit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        return self.inner.log(run_id, batch)

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        return self.inner.metric_history(run_id, key, after, limit)

    def purge_run(self, run_id: str) -> None:
        self.inner.purge_run(run_id)

    def purge_experiment(self, experiment_id: str) -> None:
        self.inner.purge_experiment(experiment_id)


class ForwardingArtifactStore(ArtifactStore):
    """An artifact store around another, which does exactly what the other does."""

    def __init__(self, inner: ArtifactStore) -> None:
        self.inner = inner
        copy_claims(self, inner)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(open_artifact_store(url))

    def close(self) -> None:
        self.inner.close()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return self.inner.put(path, chunks, if_absent=if_absent)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return self.inner.get(path, start, length)

    def stat(self, path: str) -> ArtifactInfo:
        return self.inner.stat(path)

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        return self.inner.scan(prefix, after, limit, deep=deep)

    def delete(self, path: str) -> None:
        self.inner.delete(path)


class Versions:
    """Of an artifact store that keeps versions, for a wrapper around it."""

    inner: Any

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        page: Page[ArtifactVersion, str] = self.inner.scan_versions(path, after, limit)
        return page

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        reader: ArtifactReader = self.inner.get_version(path, version, start, length)
        return reader
