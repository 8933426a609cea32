"""The part of the store of every SQL database that keeps models."""

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
from trackstore_backends.sql import logged_reads, logged_writes, registry_reads, registry_writes
from trackstore_backends.sql.connections import Connections
from trackstore_backends.sql.writer import Writer


class SQLModelStore(LoggedModelStore, RegistryStore):
    _connections: Connections
    _writer: Writer

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        return self._writer.run(
            lambda session, labels: registry_writes.create_model(session, labels, model)
        )

    def get_registered_model(self, name: str) -> RegisteredModel:
        return self._connections.read(lambda session: registry_reads.get_model(session, name))

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        return self._writer.run(
            lambda session, labels: registry_writes.update_model(session, labels, name, changes)
        )

    def delete_registered_model(self, name: str) -> None:
        self._writer.run(lambda session, _: registry_writes.delete_model(session, name))

    def scan_registered_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        return self._connections.read(
            lambda session: registry_reads.scan_models(session, after, limit)
        )

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        return self._writer.run(
            lambda session, labels: registry_writes.create_version(session, labels, version)
        )

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        return self._connections.read(
            lambda session: registry_reads.get_version(session, name, version)
        )

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        return self._connections.read(
            lambda session: registry_reads.find_version(session, name, alias)
        )

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        return self._writer.run(
            lambda session, labels: registry_writes.update_version(
                session, labels, name, version, changes
            )
        )

    def delete_model_version(self, name: str, version: int, time: int) -> None:
        self._writer.run(
            lambda session, _: registry_writes.delete_version(session, name, version, time)
        )

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        return self._connections.read(
            lambda session: registry_reads.scan_versions(session, name, run_id, after, limit)
        )

    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        return self._writer.run(
            lambda session, labels: logged_writes.create_model(session, labels, model)
        )

    def get_logged_model(self, model_id: str) -> LoggedModel:
        return self._connections.read(lambda session: logged_reads.get_model(session, model_id))

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        return self._writer.run(
            lambda session, labels: logged_writes.update_model(session, labels, model_id, changes)
        )

    def scan_logged_models(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        return self._connections.read(
            lambda session: logged_reads.scan_models(
                session, experiment_id, run_id, stage, after=after, limit=limit
            )
        )

    def purge_logged_model(self, model_id: str) -> None:
        self._writer.run(lambda session, _: logged_writes.purge_model(session, model_id))
