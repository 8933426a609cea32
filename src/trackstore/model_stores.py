"""The contract of the model registry and of logged models.

What `trackstore.stores` says of every store holds here: values arrive validated, a write happens
whole or not at all, and a completed one is seen by every later read.  One class may implement all
contracts, and the stores that come with trackstore do; it is found by its URL as a backend store
is, and `isinstance` tells what it keeps.
"""

from abc import abstractmethod

from trackstore.model import Applied, LifecycleStage, Page
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
from trackstore.stores import BackendStore, Store


class RegistryStore(Store):
    """Registered models with their versions, aliases and tags.

    A model is known by its name and a version by its number, from 1 on.  A name or number that is
    not known raises `NotFound`, however odd it is (R-MOD-05).
    """

    @abstractmethod
    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        """Store a model, which has no versions and aliases yet, and return it as stored.

        Raises `AlreadyExists` with `field` "name" if a model has the name, also when many
        processes race for it (R-MOD-02).
        """

    @abstractmethod
    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return the model as it was at one instant."""

    @abstractmethod
    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        """Change the given fields in one step and report the deleted tags that were absent.

        With a new name the versions, aliases and tags are the new name's at once (R-MOD-03).  An
        alias points to one version: setting it takes it from another (R-ALI-01).  Deleting an
        absent alias is harmless.

        Raises `AlreadyExists` if another model has the new name, and `NotFound` if an alias is
        set to a version that is not there.
        """

    @abstractmethod
    def delete_registered_model(self, name: str) -> None:
        """Erase the model with its versions, aliases and tags for good (R-MOD-04).

        A model that is created later under the name begins anew, with version 1.
        """

    @abstractmethod
    def scan_registered_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        """Return a page of models by name, code point order.

        `after` is the `next` of the page before: the name of its last model.
        """

    @abstractmethod
    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        """Store a version and return it as stored; the `last_update_time` of its model becomes its.

        Its number 0 asks for the next one: one more than the greatest that the model ever gave,
        whether that version is still there or not.  So numbers are unique and have no gaps, also
        when many processes create versions at once (R-VER-02), and one that was deleted does not
        return as another (R-VER-03).  Another number is kept, as when versions are copied from
        elsewhere.  Aliases are none yet.

        Raises `NotFound` if there is no such model, and `AlreadyExists` with `field` "id" if the
        number is not greater than all that were given.
        """

    @abstractmethod
    def get_model_version(self, name: str, version: int) -> ModelVersion:
        """Return the version with its tags and aliases as it was at one instant."""

    @abstractmethod
    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        """Return the version that the alias points to, else raise `NotFound` (R-ALI-01)."""

    @abstractmethod
    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        """Change the given fields in one step and report the deleted tags that were absent.

        With `archive_others` the other versions in the given stage become `ARCHIVED` in that step,
        so that no reader sees two in it that were moved there so, or none (R-STG-01).  With a
        stage, `last_update_time` is also that of the versions that were archived, and of the model.
        """

    @abstractmethod
    def delete_model_version(self, name: str, version: int, time: int) -> None:
        """Erase the version, and the aliases that point to it, for good (R-VER-04).

        `time` becomes the `last_update_time` of the model.
        """

    @abstractmethod
    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        """Return a page of versions by name, code point order, then by number.

        Given a name, those of that model, and given a run, those that were made from it: nothing
        is found for one that is not there.
        """


class LoggedModelStore(BackendStore):
    """A backend store whose experiments have logged models, and whose points may be about them.

    A model's metrics are the points whose links name it (L-MET-01); whether there is such a model
    is not asked when they are logged.  An unknown id raises `NotFound`, however odd it is.
    `purge_experiment` erases the experiment's models, in whatever stage they are (L-PUR-01).
    """

    @abstractmethod
    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        """Store a model with its params and tags and return it as stored.

        If the id is known and experiment, creation time, name and source run are equal, return
        the stored model unchanged, so that a repeated call is harmless (L-MOD-02).

        Raises `AlreadyExists` with `field` "id" if the id is known otherwise, `NotFound` if there
        is no such experiment, `InvalidState` if the experiment is deleted.
        """

    @abstractmethod
    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Return the model, active or deleted, as it was at one instant."""

    @abstractmethod
    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        """Change the given fields in one step and report the deleted tags that were absent.

        A param is written once: the same value again changes nothing, another raises `Conflict`.

        Raises `InvalidState`, and changes nothing, if anything but the stage and the time is given
        and the model is deleted both before and after (L-MOD-03).  Deleting or restoring twice is
        harmless, and any status may follow any other.
        """

    @abstractmethod
    def scan_logged_models(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        """Return a page of an experiment's models, newest first by creation time, ties by id.

        Given a run, those of which it is the source.  `stage` None means both stages.  An unknown
        experiment has no models.
        """

    @abstractmethod
    def purge_logged_model(self, model_id: str) -> None:
        """Erase a deleted model for good; the points that runs logged about it stay theirs.

        Raises `InvalidState` if the model is active.
        """
