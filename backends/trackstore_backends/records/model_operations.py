"""The writes of registered and logged models, as the payload of a frame has them."""

from msgspec import Struct

from trackstore.registered import (
    LoggedModel,
    LoggedModelChanges,
    ModelVersion,
    ModelVersionChanges,
    RegisteredModel,
    RegisteredModelChanges,
)
from trackstore_backends.logged_state import LoggedModels
from trackstore_backends.registry_state import RegisteredRow
from trackstore_backends.state import State


class CreateModel(Struct, tag="model", array_like=True):
    model: RegisteredModel

    def apply(self, state: State) -> object:
        return state.registry.create_model(self.model)


class UpdateModel(Struct, tag="update model", array_like=True):
    name: str
    changes: RegisteredModelChanges

    def apply(self, state: State) -> object:
        return state.registry.update_model(self.name, self.changes)


class DeleteModel(Struct, tag="delete model", array_like=True):
    name: str

    def apply(self, state: State) -> None:
        state.registry.delete_model(self.name)


class CreateVersion(Struct, tag="version", array_like=True):
    version: ModelVersion

    def apply(self, state: State) -> object:
        return state.registry.create_version(self.version)


class UpdateVersion(Struct, tag="update version", array_like=True):
    name: str
    version: int
    changes: ModelVersionChanges

    def apply(self, state: State) -> object:
        return state.registry.update_version(self.name, self.version, self.changes)


class DeleteVersion(Struct, tag="delete version", array_like=True):
    name: str
    version: int
    time: int

    def apply(self, state: State) -> None:
        state.registry.delete_version(self.name, self.version, self.time)


class CreateLoggedModel(Struct, tag="logged model", array_like=True):
    model: LoggedModel

    def apply(self, state: State) -> object:
        return LoggedModels(state).create(self.model)


class UpdateLoggedModel(Struct, tag="update logged model", array_like=True):
    model_id: str
    changes: LoggedModelChanges

    def apply(self, state: State) -> object:
        return LoggedModels(state).update(self.model_id, self.changes)


class PurgeLoggedModel(Struct, tag="purge logged model", array_like=True):
    model_id: str

    def apply(self, state: State) -> None:
        LoggedModels(state).purge(self.model_id)


class KeepModel(Struct, tag="keep model", array_like=True):
    """What a journal that was rewritten has of models, as they were."""

    registered: RegisteredRow | None = None
    logged: LoggedModel | None = None

    def apply(self, state: State) -> object:
        if self.registered is not None:
            state.registry.keep(self.registered)
        if self.logged is not None:
            LoggedModels(state).keep(self.logged)
        return None


ModelOperation = (
    CreateModel
    | UpdateModel
    | DeleteModel
    | CreateVersion
    | UpdateVersion
    | DeleteVersion
    | CreateLoggedModel
    | UpdateLoggedModel
    | PurgeLoggedModel
    | KeepModel
)
