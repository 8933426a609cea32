"""The part of the store of a folder that keeps models."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import cast

from trackstore.model import Applied, LifecycleStage, Page
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
from trackstore_backends.logged_state import LoggedModels
from trackstore_backends.records.model_operations import (
    CreateLoggedModel,
    CreateModel,
    CreateVersion,
    DeleteModel,
    DeleteVersion,
    PurgeLoggedModel,
    UpdateLoggedModel,
    UpdateModel,
    UpdateVersion,
)
from trackstore_backends.records.operations import Operation
from trackstore_backends.state import State


class FileModelStore(LoggedModelStore, RegistryStore):
    @abstractmethod
    def _now(self) -> AbstractContextManager[State]: ...

    @abstractmethod
    def _write(self, operation: Operation) -> object: ...

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        return cast("RegisteredModel", self._write(CreateModel(model)))

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._now() as state:
            return state.registry.get_model(name)

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        return cast("Applied", self._write(UpdateModel(name, changes)))

    def delete_registered_model(self, name: str) -> None:
        self._write(DeleteModel(name))

    def scan_registered_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        with self._now() as state:
            return state.registry.scan_models(after, limit)

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        return cast("ModelVersion", self._write(CreateVersion(version)))

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        with self._now() as state:
            return state.registry.get_version(name, version)

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        with self._now() as state:
            return state.registry.find_version(name, alias)

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        return cast("Applied", self._write(UpdateVersion(name, version, changes)))

    def delete_model_version(self, name: str, version: int, time: int) -> None:
        self._write(DeleteVersion(name, version, time))

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        with self._now() as state:
            return state.registry.scan_versions(name, run_id, after, limit)

    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        return cast("LoggedModel", self._write(CreateLoggedModel(model)))

    def get_logged_model(self, model_id: str) -> LoggedModel:
        with self._now() as state:
            return LoggedModels(state).get(model_id)

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        return cast("Applied", self._write(UpdateLoggedModel(model_id, changes)))

    def scan_logged_models(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        with self._now() as state:
            return LoggedModels(state).scan(experiment_id, run_id, stage, after, limit)

    def purge_logged_model(self, model_id: str) -> None:
        self._write(PurgeLoggedModel(model_id))
