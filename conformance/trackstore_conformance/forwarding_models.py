"""Stores of models around other stores, which forward every call."""

from typing import Any, Self

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
from trackstore.registry import open_logged_model_store, open_registry_store
from trackstore_conformance.forwarding import ForwardingBackendStore, copy_claims


class ForwardingRegistryStore(RegistryStore):
    """A store of registered models around another, which does exactly what the other does."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        copy_claims(self, inner)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(open_registry_store(url))

    def close(self) -> None:
        self.inner.close()

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        made: RegisteredModel = self.inner.create_registered_model(model)
        return made

    def get_registered_model(self, name: str) -> RegisteredModel:
        found: RegisteredModel = self.inner.get_registered_model(name)
        return found

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        applied: Applied = self.inner.update_registered_model(name, changes)
        return applied

    def delete_registered_model(self, name: str) -> None:
        self.inner.delete_registered_model(name)

    def scan_registered_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        page: Page[RegisteredModel, str] = self.inner.scan_registered_models(after, limit)
        return page

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        made: ModelVersion = self.inner.create_model_version(version)
        return made

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        found: ModelVersion = self.inner.get_model_version(name, version)
        return found

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        found: ModelVersion = self.inner.find_model_version(name, alias)
        return found

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        applied: Applied = self.inner.update_model_version(name, version, changes)
        return applied

    def delete_model_version(self, name: str, version: int, time: int) -> None:
        self.inner.delete_model_version(name, version, time)

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        page: Page[ModelVersion, ModelVersionCursor] = self.inner.scan_model_versions(
            name, run_id, after, limit
        )
        return page


class ForwardingLoggedModelStore(ForwardingBackendStore, LoggedModelStore):
    """A backend store with logged models around another, which does exactly what the other does."""

    inner: LoggedModelStore

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(open_logged_model_store(url))

    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        return self.inner.create_logged_model(model)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        return self.inner.get_logged_model(model_id)

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        return self.inner.update_logged_model(model_id, changes)

    def scan_logged_models(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        return self.inner.scan_logged_models(experiment_id, run_id, stage, after, limit)

    def purge_logged_model(self, model_id: str) -> None:
        self.inner.purge_logged_model(model_id)
