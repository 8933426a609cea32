"""MLflow's calls on logged models, on a `Tracker`."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlflow import entities as theirs
from mlflow.store.entities.paged_list import PagedList

from trackstore.mlflow_plugin.entities import pairs
from trackstore.mlflow_plugin.model_entities import logged_model
from trackstore.model_filters import DatasetFilter, LoggedModelOrder
from trackstore.model_stores import LoggedModelStore
from trackstore.tracker import Tracker

_PAGE = 100


class LoggedModelCalls:
    """Models that runs save."""

    _tracker: Tracker

    def create_logged_model(  # noqa: PLR0917 - as MLflow calls it
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Any = None,
        params: Any = None,
        model_type: str | None = None,
    ) -> theirs.LoggedModel:
        made = self._tracker.create_logged_model(
            experiment_id,
            name=name,
            source_run_id=source_run_id or "",
            model_type=model_type or "",
            params=pairs(params),
            tags=pairs(tags),
        )
        return logged_model(made)

    def get_logged_model(
        self,
        model_id: str,
        allow_deleted: bool = False,  # noqa: FBT001, FBT002 - as MLflow calls it
    ) -> theirs.LoggedModel:
        return logged_model(self._tracker.get_logged_model(model_id, allow_deleted=allow_deleted))

    def finalize_logged_model(
        self, model_id: str, status: theirs.LoggedModelStatus
    ) -> theirs.LoggedModel:
        return logged_model(self._tracker.finalize_logged_model(model_id, str(status)))

    def set_logged_model_tags(self, model_id: str, tags: Any) -> None:
        self._tracker.set_logged_model_tags(model_id, pairs(tags))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        self._tracker.delete_logged_model_tag(model_id, key)

    def log_logged_model_params(self, model_id: str, params: Any) -> None:
        self._tracker.log_logged_model_params(model_id, pairs(params))

    def delete_logged_model(self, model_id: str) -> None:
        self._tracker.delete_logged_model(model_id)

    def search_logged_models(  # noqa: PLR0917 - as MLflow calls it
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[theirs.LoggedModel]:
        """Find nothing in a store that keeps none: clients look here before any download."""
        if not isinstance(self._tracker.store, LoggedModelStore):
            return PagedList([], None)
        page = self._tracker.search_logged_models(
            list(experiment_ids),
            filter_string or "",
            datasets=[_dataset(each) for each in datasets or ()],
            order_by=[_order(each) for each in order_by or ()],
            limit=max_results or _PAGE,
            page_token=page_token or None,
        )
        return PagedList([logged_model(each) for each in page.items], page.next)


def _dataset(given: Mapping[str, Any]) -> DatasetFilter:
    return DatasetFilter(given.get("dataset_name") or "", given.get("dataset_digest") or "")


def _order(given: Mapping[str, Any]) -> LoggedModelOrder:
    dataset = _dataset(given) if given.get("dataset_name") else None
    return LoggedModelOrder(
        given.get("field_name") or "",
        descending=not given.get("ascending", True),
        dataset=dataset,
    )
