"""Logged models in memory, by the rules of the contract, beside the runs that log about them.

No method changes anything before it has raised what it may raise.  The caller holds a lock.
"""

from msgspec import UNSET
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, Conflict, InvalidState, NotFound
from trackstore.model import Applied, LifecycleStage, Page
from trackstore.registered import LoggedModel, LoggedModelChanges, LoggedModelCursor, ModelMetric
from trackstore_backends.paging import given, page
from trackstore_backends.state import ACTIVE, DELETED, State


class LoggedModels:
    """The logged models of a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create(self, model: LoggedModel) -> LoggedModel:
        known = self._state.rows.models.get(model.id)
        if known is not None:
            if _creation_fields(known) == _creation_fields(model):
                return self.get(model.id)
            raise AlreadyExists(f"logged model id {model.id} is taken", field="id")
        if self._state.get_experiment(model.experiment_id).lifecycle_stage is DELETED:
            raise InvalidState(f"experiment {model.experiment_id} is deleted")
        self.keep(replace(model, params=dict(model.params), tags=dict(model.tags)))
        return self.get(model.id)

    def get(self, model_id: str) -> LoggedModel:
        return self._whole(self._model(model_id))

    def update(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        old = self._model(model_id)
        for key, value in changes.params.items():
            if old.params.get(key, value) != value:
                raise Conflict(f"param {key[:100]!r} of {model_id} already has another value")
        tags = {**old.tags, **changes.tags}
        absent = tuple(key for key in changes.deleted_tags if tags.pop(key, None) is None)
        new = replace(
            old,
            status=given(changes.status, old.status),
            status_message=given(changes.status_message, old.status_message),
            lifecycle_stage=given(changes.lifecycle_stage, old.lifecycle_stage),
            last_update_time=given(changes.last_update_time, old.last_update_time),
            params={**old.params, **changes.params},
            tags=tags,
        )
        if _edits(changes) and DELETED is old.lifecycle_stage is new.lifecycle_stage:
            raise InvalidState(f"logged model {model_id} is deleted")
        self.keep(new)
        return Applied(absent)

    def scan(
        self,
        experiment_id: str,
        run_id: str | None,
        stage: LifecycleStage | None,
        after: LoggedModelCursor | None,
        limit: int,
    ) -> Page[LoggedModel, LoggedModelCursor]:
        found = [
            each
            for each in self._state.rows.models.values()
            if each.experiment_id == experiment_id
            and run_id in {None, each.source_run_id}
            and stage in {None, each.lifecycle_stage}
        ]
        start = None if after is None else (-after[0], after[1])
        rows, more = page(found, lambda each: (-each.creation_time, each.id), start, limit)
        last = (rows[-1].creation_time, rows[-1].id) if more else None
        return Page([self._whole(row) for row in rows], last)

    def purge(self, model_id: str) -> None:
        if self._model(model_id).lifecycle_stage is ACTIVE:
            raise InvalidState(f"logged model {model_id} is active: delete it before it is purged")
        del self._state.rows.models[model_id]

    def keep(self, model: LoggedModel) -> None:
        self._state.rows.models[model.id] = model

    def _model(self, model_id: str) -> LoggedModel:
        try:
            return self._state.rows.models[model_id]
        except KeyError:
            raise NotFound(f"there is no logged model {model_id[:100]!r}") from None

    def _whole(self, model: LoggedModel) -> LoggedModel:
        metrics = (
            ModelMetric(run_id, point, name, digest)
            for run_id, _, name, digest, point in sorted(
                self._state.linked_with(model.id), key=lambda each: each[:4]
            )
        )
        return replace(
            model, params=dict(model.params), tags=dict(model.tags), metrics=tuple(metrics)
        )


def _edits(changes: LoggedModelChanges) -> bool:
    return bool(changes.params or changes.tags or changes.deleted_tags) or not (
        changes.status is changes.status_message is UNSET
    )


def _creation_fields(model: LoggedModel) -> tuple[str, int, str, str]:
    return model.experiment_id, model.creation_time, model.name, model.source_run_id
