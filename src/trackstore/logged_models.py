"""The front's calls on logged models; `Tracker` has them all."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import msgspec

from trackstore import ids, limits, locations, model_filters, model_search, paging, validation
from trackstore.artifacts import Artifacts
from trackstore.errors import NotFound, Unsupported
from trackstore.limits import check_page, check_text, shown
from trackstore.model import Applied, LifecycleStage, Page, Run, SearchCursor
from trackstore.model_filters import DatasetFilter, LoggedModelOrder
from trackstore.model_names import check_logged_model_name, check_registry_tags
from trackstore.model_search import LoggedModelQuery
from trackstore.model_stores import LoggedModelStore
from trackstore.registered import LoggedModel, LoggedModelChanges, LoggedModelStatus
from trackstore.stores import BackendStore
from trackstore.validation import Pairs, check_id

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED

MODEL_VERSIONS = "mlflow.modelVersions"
"""The tag that names the registered versions that were made from a logged model."""
LOGGED_IN_RUN = "mlflow.log-model.history"
"""The tag of a run by which old clients note the models that it logged."""


class LoggedModels:
    """Models that runs save: each has files of its own, params, tags, and metrics about it.

    Every call raises `Unsupported` if the backend store keeps no logged models.
    """

    store: BackendStore
    get_run: Callable[[str], Run]
    set_tag: Callable[[str, str, str], None]
    artifacts: Artifacts
    _clock: Callable[[], int]
    _artifact_location: Callable[[str], str]
    _noting: Lock

    def create_logged_model(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        source_run_id: str = "",
        model_type: str = "",
        params: Pairs[str | float] = (),
        tags: Pairs[str] = (),
    ) -> LoggedModel:
        """Create a model, whose status is pending, in an active experiment.

        A name is made up if none is given; names need not be unique.  Its files lie in
        `<experiment's location>/models/<id>/artifacts`.
        """
        label = ids.new_run_name() if name is None else check_logged_model_name(name)
        if source_run_id:
            check_text("the id of a run", source_run_id, limits.MODEL_ID)
        check_text("the type of a logged model", model_type, limits.MODEL_TYPE)
        ident, now = ids.new_model_id(), self._clock()
        place = locations.child(self._artifact_location(experiment_id), "models")
        return self._models.create_logged_model(
            LoggedModel(
                ident,
                experiment_id,
                label,
                now,
                now,
                self.artifacts.run_uri(place, ident),
                source_run_id=source_run_id,
                model_type=model_type,
                params=validation.check_params(params),
                tags=check_registry_tags(tags, limits.TAG_VALUE),
            )
        )

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a model as it was at one instant; `NotFound` if it is deleted, unless allowed."""
        model = self._models.get_logged_model(check_id("logged model", model_id))
        if model.lifecycle_stage is DELETED and not allow_deleted:
            raise NotFound(f"Logged model with ID {shown(model_id)} not found: it is deleted.")
        return model

    def finalize_logged_model(
        self, model_id: str, status: LoggedModelStatus | str = LoggedModelStatus.READY
    ) -> LoggedModel:
        """Set the status of an active model, such as ready or failed, and return the model."""
        changes = LoggedModelChanges(
            status=validation.member("status", LoggedModelStatus, status),
            last_update_time=self._clock(),
        )
        self._change(model_id, changes)
        return self.get_logged_model(model_id)

    def set_logged_model_tags(self, model_id: str, tags: Pairs[str]) -> None:
        """Set tags of an active model, in one step."""
        self._change(model_id, LoggedModelChanges(tags=check_registry_tags(tags, limits.TAG_VALUE)))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Delete a tag of an active model; `NotFound` if it has no such tag."""
        changes = LoggedModelChanges(deleted_tags=(validation.check_key(key),))
        if self._change(model_id, changes).absent_tags:
            raise NotFound(f"logged model {shown(model_id)} has no tag {shown(key)}")

    def log_logged_model_params(self, model_id: str, params: Pairs[str | float]) -> None:
        """Add params to an active model: each is written once; the same value again is fine."""
        self._change(model_id, LoggedModelChanges(params=validation.check_params(params)))

    def note_model_version(self, model_id: str, name: str, version: int) -> None:
        """Add a version of a registered model to the tag by which MLflow's UI finds it.

        Two that are made of one model at the same time, by two processes, may miss each other
        there: the registry is what counts.
        """
        noted = {"name": name, "version": version}
        with self._noting:
            model = self.get_logged_model(model_id, allow_deleted=True)
            known = _noted(model.tags.get(MODEL_VERSIONS, ""))
            if noted not in known and model.lifecycle_stage is ACTIVE:
                text = msgspec.json.encode([*known, noted]).decode()
                self.set_logged_model_tags(model_id, {MODEL_VERSIONS: text})

    def note_logged_model(self, run_id: str, note: Mapping[str, Any]) -> None:
        """Add a model of an old client to its run's tag; two processes at once may lose one."""
        with self._noting:
            known = _noted(self.get_run(run_id).tags.get(LOGGED_IN_RUN, ""))
            self.set_tag(run_id, LOGGED_IN_RUN, msgspec.json.encode([*known, note]).decode())

    def delete_logged_model(self, model_id: str) -> None:
        """Mark a model as deleted; it keeps all its data."""
        self._set_stage(model_id, DELETED)

    def restore_logged_model(self, model_id: str) -> None:
        """Undo a deletion."""
        self._set_stage(model_id, ACTIVE)

    def purge_logged_model(self, model_id: str) -> None:
        """Erase a deleted model for good; its artifacts are left alone."""
        self._models.purge_logged_model(check_id("logged model", model_id))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter: str = "",  # noqa: A002 - MLflow's users know it by this name
        *,
        datasets: Sequence[DatasetFilter] = (),
        order_by: Sequence[LoggedModelOrder] = (),
        limit: int = 100,
        page_token: str | None = None,
    ) -> Page[LoggedModel, str]:
        """Return a page of active models, by default newest first.

        `filter` compares metrics, params, tags and attributes, as in "metrics.acc > 0.9 AND
        params.depth = '3'"; metrics are those on one of `datasets`, if any are given, and each is
        the latest of a run.  What lacks the sort field comes last.
        """
        limits.check_size("datasets", datasets, limits.FILTER_CLAUSES)
        query = LoggedModelQuery(
            validation.check_ids(experiment_ids),
            model_filters.parse_logged_model_filter(filter),
            tuple(map(model_filters.check_dataset, datasets)),
            model_filters.parse_logged_model_order(order_by),
        )
        order = [field.by for field in query.order_by]

        def is_cursor(cursor: SearchCursor) -> bool:
            return model_search.is_cursor(cursor, order, model_search.LOGGED_MODEL_TIES)

        after = paging.decode_token(page_token, query, is_cursor)
        most = check_page(limit, limits.PAGE)
        page = model_search.search_logged_models(self._models, query, after, most)
        return paging.tokened(page, query)

    @property
    def _models(self) -> LoggedModelStore:
        if not isinstance(self.store, LoggedModelStore):
            raise Unsupported("the backend store keeps no logged models")
        return self.store

    def _set_stage(self, model_id: str, stage: LifecycleStage) -> None:
        self._change(
            model_id, LoggedModelChanges(lifecycle_stage=stage, last_update_time=self._clock())
        )

    def _change(self, model_id: str, changes: LoggedModelChanges) -> Applied:
        return self._models.update_logged_model(check_id("logged model", model_id), changes)


def _noted(text: str) -> list[Any]:
    """Return the list in a tag, which clients may have written."""
    try:
        return msgspec.json.decode(text, type=list[Any])
    except msgspec.DecodeError:
        return []
