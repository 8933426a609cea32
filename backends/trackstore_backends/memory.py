"""Stores that live in the process: for tests and notebooks.

`memory:` is private to its handle; `memory://name` is shared, by name, within the process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import ClassVar, Self

from trackstore.errors import InvalidRequest, InvalidState
from trackstore.model import (
    Applied,
    Batch,
    Experiment,
    ExperimentChanges,
    ExperimentCursor,
    LifecycleStage,
    Metric,
    MetricCursor,
    MetricLink,
    Page,
    Run,
    RunChanges,
    RunCursor,
    from_order_image,
    order_image,
)
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import (
    LoggedModel,
    LoggedModelChanges,
    LoggedModelCursor,
    ModelVersion,
    ModelVersionChanges,
    ModelVersionCursor,
    RegisteredModel,
    RegisteredModelChanges,
)
from trackstore.stores import Guarantees
from trackstore_backends.logged_state import LoggedModels
from trackstore_backends.paging import page
from trackstore_backends.registry_state import RegistryState
from trackstore_backends.state import PointId, State, point_id

Points = dict[str, dict[PointId, set[MetricLink]]]
"""The points of a run, by key."""


class _Data:
    def __init__(self) -> None:
        self.lock = Lock()
        self.state = State()
        self.points: dict[str, Points] = {}


_shared: dict[str, _Data] = {}
_sharing = Lock()


class MemoryBackendStore(LoggedModelStore, RegistryStore):
    guarantees: ClassVar = Guarantees(durability="none")
    ephemeral: ClassVar = True

    def __init__(self, data: _Data) -> None:
        self._data = data
        self._closed = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        name = shared_name(url)
        if name is None:
            return cls(_Data())
        with _sharing:
            return cls(_shared.setdefault(name, _Data()))

    def close(self) -> None:
        with self._data.lock:
            self._closed = True

    @contextmanager
    def _open(self) -> Iterator[State]:
        with self._data.lock:
            if self._closed:
                raise InvalidState("this store is closed")
            yield self._data.state

    def create_experiment(self, experiment: Experiment) -> Experiment:
        with self._open() as state:
            return state.create_experiment(experiment)

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._open() as state:
            return state.get_experiment(experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        with self._open() as state:
            return state.find_experiment(name)

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        with self._open() as state:
            return state.update_experiment(experiment_id, changes)

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        with self._open() as state:
            return state.scan_experiments(stage, after, limit)

    def create_run(self, run: Run) -> Run:
        with self._open() as state:
            return state.create_run(run)

    def get_run(self, run_id: str) -> Run:
        with self._open() as state:
            return state.get_run(run_id)

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        with self._open() as state:
            state.update_run(run_id, changes)

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        with self._open() as state:
            return state.scan_runs(experiment_id, stage, after, limit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        with self._open() as state:
            applied = state.log(run_id, batch)
            points = self._data.points.setdefault(run_id, {})
            for point in batch.metrics:
                links = points.setdefault(point.key, {}).setdefault(point_id(point), set())
                links.update(point.links)
            return applied

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        with self._open() as state:
            state.run(run_id)
            points = self._data.points.get(run_id, {}).get(key, {})
            start = None if after is None else (after[0], after[1], order_image(after[2]))
            rows, more = page(points, lambda each: each, start, limit)
            found = [
                Metric(key, from_order_image(image), timestamp, step, tuple(sorted(links)))
                for step, timestamp, image in rows
                for links in [points[step, timestamp, image]]
            ]
        last = found[-1] if more else None
        return Page(found, None if last is None else (last.step, last.timestamp, last.value))

    def purge_run(self, run_id: str) -> None:
        with self._open() as state:
            self._forget(state.purge_run(run_id))

    def purge_experiment(self, experiment_id: str) -> None:
        with self._open() as state:
            self._forget(state.purge_experiment(experiment_id))

    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        with self._open() as state:
            return LoggedModels(state).create(model)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        with self._open() as state:
            return LoggedModels(state).get(model_id)

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        with self._open() as state:
            return LoggedModels(state).update(model_id, changes)

    def scan_logged_models(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        with self._open() as state:
            return LoggedModels(state).scan(experiment_id, run_id, stage, after, limit)

    def purge_logged_model(self, model_id: str) -> None:
        with self._open() as state:
            LoggedModels(state).purge(model_id)

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        with self._registry() as registry:
            return registry.create_model(model)

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._registry() as registry:
            return registry.get_model(name)

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        with self._registry() as registry:
            return registry.update_model(name, changes)

    def delete_registered_model(self, name: str) -> None:
        with self._registry() as registry:
            registry.delete_model(name)

    def scan_registered_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        with self._registry() as registry:
            return registry.scan_models(after, limit)

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        with self._registry() as registry:
            return registry.create_version(version)

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        with self._registry() as registry:
            return registry.get_version(name, version)

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        with self._registry() as registry:
            return registry.find_version(name, alias)

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        with self._registry() as registry:
            return registry.update_version(name, version, changes)

    def delete_model_version(self, name: str, version: int, time: int) -> None:
        with self._registry() as registry:
            registry.delete_version(name, version, time)

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        with self._registry() as registry:
            return registry.scan_versions(name, run_id, after, limit)

    @contextmanager
    def _registry(self) -> Iterator[RegistryState]:
        with self._open() as state:
            yield state.registry

    def _forget(self, runs: list[str]) -> None:
        for run_id in runs:
            self._data.points.pop(run_id, None)


def shared_name(url: str) -> str | None:
    """Return the name in `memory://name`, or None for the private `memory:`."""
    if url == "memory:":
        return None
    name = url.removeprefix("memory://")
    if name == url or not name:
        raise InvalidRequest("expected memory: or memory://name")
    return name
