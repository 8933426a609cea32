"""Mutants of logged models."""

import time
from typing import ClassVar

from msgspec import UNSET
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, Conflict, InvalidState, NotFound
from trackstore.model import Applied, LifecycleStage, Page
from trackstore.registered import LoggedModel, LoggedModelChanges, LoggedModelCursor
from trackstore_conformance.mutants.wrapped import LoggedModelMutant

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
ALL = 10_000


class TagsReplaced(LoggedModelMutant):
    """Replaces all tags of a logged model by those that are set."""

    killed_by = "L-MOD-01"

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        if changes.tags:
            known = self.inner.get_logged_model(model_id).tags
            gone = [key for key in known if key not in changes.tags]
            changes = replace(changes, deleted_tags=[*changes.deleted_tags, *gone])
        return super().update_logged_model(model_id, changes)


class CreatedAnyway(LoggedModelMutant):
    """Takes any model of a known id for the one that is there."""

    killed_by = "L-MOD-02"

    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        try:
            return super().create_logged_model(model)
        except AlreadyExists:
            return self.inner.get_logged_model(model.id)


class StageDerived(LoggedModelMutant):
    """Shows a model as deleted while its experiment is, as a run is."""

    killed_by = "L-MOD-03"

    def get_logged_model(self, model_id: str) -> LoggedModel:
        found = super().get_logged_model(model_id)
        home = self.inner.get_experiment(found.experiment_id)
        return found if home.lifecycle_stage is ACTIVE else replace(found, lifecycle_stage=DELETED)


class DeletedModelsTakeEdits(LoggedModelMutant):
    """Changes a model that is deleted."""

    killed_by = "L-MOD-03"

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        try:
            return super().update_logged_model(model_id, changes)
        except InvalidState:
            super().update_logged_model(model_id, replace(changes, lifecycle_stage=ACTIVE))
            back = LoggedModelChanges(lifecycle_stage=DELETED)
            return super().update_logged_model(model_id, back)


class ModelsOfDeletedExperiments(LoggedModelMutant):
    """Creates models in an experiment that is deleted, as MLflow's clients may race to."""

    killed_by = "L-MOD-04"

    def create_logged_model(self, model: LoggedModel) -> LoggedModel:
        try:
            return super().create_logged_model(model)
        except InvalidState:
            return model


class ModelParamsLookedUpFirst(LoggedModelMutant):
    """Looks whether a param is there, and says a moment later that it has written it."""

    killed_by = "L-PAR-01"

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        known = self.inner.get_logged_model(model_id).params
        for key, value in changes.params.items():
            if known.get(key, value) != value:
                raise Conflict(f"param {key} has another value")
        time.sleep(0.002)
        try:
            return super().update_logged_model(model_id, changes)
        except Conflict:
            return Applied()


class LastMetricWins(LoggedModelMutant):
    """Shows one metric of each key, whatever dataset it is on."""

    killed_by = "L-MET-01"

    def get_logged_model(self, model_id: str) -> LoggedModel:
        found = super().get_logged_model(model_id)
        of_key = {(each.run_id, each.point.key): each for each in found.metrics}
        return replace(found, metrics=tuple(of_key.values()))


class ModelsSurviveExperiments(LoggedModelMutant):
    """Still has the models of a purged experiment."""

    killed_by = "L-PUR-01"
    kept: ClassVar[dict[str, LoggedModel]] = {}

    def purge_experiment(self, experiment_id: str) -> None:
        models = self.inner.scan_logged_models(experiment_id, None, None, None, ALL).items
        super().purge_experiment(experiment_id)
        self.kept.update({model.id: model for model in models})

    def get_logged_model(self, model_id: str) -> LoggedModel:
        try:
            return super().get_logged_model(model_id)
        except NotFound:
            if model_id in self.kept:
                return self.kept[model_id]
            raise


class PurgesActiveModels(LoggedModelMutant):
    """Erases a model that is active."""

    killed_by = "L-PUR-01"

    def purge_logged_model(self, model_id: str) -> None:
        deletion = LoggedModelChanges(lifecycle_stage=DELETED)
        super().update_logged_model(model_id, deletion)
        super().purge_logged_model(model_id)


class OldestModelFirst(LoggedModelMutant):
    """Lists models in the order of their ids, whenever they were made."""

    killed_by = "L-PAG-01"

    def scan_logged_models(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        found = self.inner.scan_logged_models(experiment_id, run_id, stage, None, ALL).items
        rows = sorted(found, key=lambda each: each.id)
        rows = [each for each in rows if after is None or each.id > after[1]]
        more = len(rows) > limit
        return Page(
            rows[:limit], (rows[limit - 1].creation_time, rows[limit - 1].id) if more else None
        )


class ForeignModelError(LoggedModelMutant):
    """Lets the LookupError of its own table through."""

    killed_by = "L-ERR-01"
    near = ("L-MOD-01", "L-PAG-01")

    def get_logged_model(self, model_id: str) -> LoggedModel:
        try:
            return super().get_logged_model(model_id)
        except NotFound:
            raise KeyError(model_id) from None


class TimesOfTheirOwn(LoggedModelMutant):
    """Sets the time of a change itself when none is given."""

    killed_by = "L-MOD-01"
    near = ("L-PAG-01", "L-MET-01")

    def update_logged_model(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        if changes.last_update_time is UNSET:
            changes = replace(changes, last_update_time=time.time_ns() // 1_000_000)
        return super().update_logged_model(model_id, changes)


LOGGED = (
    TagsReplaced,
    TimesOfTheirOwn,
    CreatedAnyway,
    StageDerived,
    DeletedModelsTakeEdits,
    ModelsOfDeletedExperiments,
    ModelParamsLookedUpFirst,
    LastMetricWins,
    ModelsSurviveExperiments,
    PurgesActiveModels,
    OldestModelFirst,
    ForeignModelError,
)
