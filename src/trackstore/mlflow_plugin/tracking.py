"""MLflow's tracking store on a `Tracker`."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from mlflow import entities as theirs
from mlflow.entities.metric import MetricWithRunId
from mlflow.store.artifact.host_policy import is_tracking_server_process
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.abstract_store import AbstractStore
from msgspec.structs import astuple

from trackstore import datasets, limits
from trackstore.errors import NotFound
from trackstore.mlflow_plugin import entities, gc, places
from trackstore.mlflow_plugin.answers import store_of
from trackstore.mlflow_plugin.entities import pairs, stage_of
from trackstore.mlflow_plugin.logged_models import LoggedModelCalls
from trackstore.model import Metric, Page, Run
from trackstore.tracker import Tracker

_AS_IN_MLFLOW = """
    search_runs log_metric log_param set_tag log_batch_async log_metric_async log_param_async
    set_tag_async flush_async_logging end_async_logging shut_down_async_logging
    filter_active_experiment_ids set_model_versions_tags
""".split()
"""What MLflow builds on the methods below."""

_FINDS_NOTHING = """
    batch_get_traces batch_get_trace_infos query_trace_metrics
    find_completed_sessions search_issues search_datasets list_scorers
    list_scorers_across_experiments list_scorer_versions get_online_scoring_configs
    get_active_online_scorers list_label_schemas list_review_queues list_review_queue_items
    list_secret_infos list_gateway_endpoints list_gateway_model_definitions list_endpoint_bindings
    list_budget_policies list_gateway_guardrails list_endpoint_guardrail_configs
    search_mcp_servers search_mcp_server_versions search_mcp_access_endpoints
    get_mcp_server_versions_for_trace
""".split()
"""Reads of what cannot have been written: MLflow's pages show them as empty."""


@store_of(AbstractStore, inherits=_AS_IN_MLFLOW, empty=_FINDS_NOTHING)
class TrackingStore(LoggedModelCalls, AbstractStore):
    """Experiments and runs; made by MLflow for a URI such as `trackstore:sqlite:///runs.db`."""

    _tracker: Tracker

    def __init__(self, store_uri: str, artifact_uri: str | None = None) -> None:
        super().__init__()
        root = None if artifact_uri is None else places.stored(artifact_uri)
        if root and not is_tracking_server_process() and not root.startswith("mlflow-artifacts:"):
            places.use_destination(root)
        self._tracker = places.opened(places.inner_url(store_uri), artifact_root=root)

    @property
    def tracker(self) -> Tracker:
        return self._tracker

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Any = None
    ) -> str:
        location = artifact_location and places.stored(artifact_location)
        found = self._tracker.create_experiment(
            name, artifact_location=location or None, tags=pairs(tags)
        )
        return found.id

    def get_experiment(self, experiment_id: str) -> theirs.Experiment:
        return entities.experiment(self._tracker.get_experiment(experiment_id))

    def get_experiment_by_name(self, experiment_name: str) -> theirs.Experiment | None:
        try:
            return entities.experiment(self._tracker.find_experiment(experiment_name))
        except NotFound:
            return None

    def search_experiments(
        self,
        view_type: int = theirs.ViewType.ACTIVE_ONLY,
        max_results: int = 1_000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[theirs.Experiment]:
        page = self._tracker.search_experiments(
            filter_string or "",
            order_by=order_by or (),
            stage=stage_of(view_type),
            limit=max_results,
            page_token=page_token or None,
        )
        return PagedList([entities.experiment(each) for each in page.items], page.next)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._tracker.rename_experiment(experiment_id, new_name)

    def delete_experiment(self, experiment_id: str) -> None:
        self._tracker.delete_experiment(experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        self._tracker.restore_experiment(experiment_id)

    def set_experiment_tag(self, experiment_id: str, tag: theirs.ExperimentTag) -> None:
        self._tracker.set_experiment_tags(experiment_id, [(tag.key, tag.value)])

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._tracker.delete_experiment_tag(experiment_id, key)

    # Runs

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Any,
        run_name: str | None,
    ) -> theirs.Run:
        made = self._tracker.create_run(
            experiment_id,
            name=run_name or None,
            user_id=user_id or "",
            start_time=start_time or None,  # clients that give none send 0
            tags=pairs(tags),
        )
        return entities.run(made)

    def get_run(self, run_id: str) -> theirs.Run:
        return entities.run(self._tracker.get_run(run_id))

    def update_run_info(
        self, run_id: str, run_status: int | None, end_time: int | None, run_name: str | None
    ) -> theirs.RunInfo:
        status = None if run_status is None else theirs.RunStatus.to_string(run_status)
        self._tracker.update_run(run_id, status=status, end_time=end_time, name=run_name or None)
        return entities.run_info(self._tracker.get_run(run_id))

    def delete_run(self, run_id: str) -> None:
        self._tracker.delete_run(run_id)

    def restore_run(self, run_id: str) -> None:
        self._tracker.restore_run(run_id)

    def _search_runs(  # noqa: PLR0917 - as MLflow calls it
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None,
        run_view_type: int | None,
        max_results: int,
        order_by: Sequence[str] | None,
        page_token: str | None,
    ) -> tuple[list[theirs.Run], str | None]:
        page: Page[Run, str] = self._tracker.search_runs(
            list(experiment_ids),
            filter_string or "",
            order_by=list(order_by or ()),
            stage=stage_of(run_view_type),
            limit=max_results,
            page_token=page_token or None,
        )
        return [entities.run(each) for each in page.items], page.next

    # Logging

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        self._tracker.log(
            run_id,
            metrics=[entities.metric_from(each) for each in metrics or ()],
            params=pairs(params),
            tags=pairs(tags),
        )

    def delete_tag(self, run_id: str, key: str) -> None:
        self._tracker.delete_tag(run_id, key)

    def log_inputs(self, run_id: str, datasets: Any = None, models: Any = None) -> None:
        self._tracker.log(
            run_id,
            inputs=[entities.input_from(each) for each in datasets or ()],
            model_inputs=[each.model_id for each in models or ()],
        )

    def log_outputs(self, run_id: str, models: Any) -> None:
        self._tracker.log(run_id, outputs=[entities.output_from(each) for each in models])

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        self._tracker.note_logged_model(run_id, mlflow_model.get_tags_dict())

    # Metrics

    def get_metric_history(
        self,
        run_id: str,
        metric_key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[theirs.Metric]:
        """Return one page if `max_results` is given, else all points."""
        if max_results is None and not page_token:
            points = self._tracker.iter_metric_history(run_id, metric_key)
            return PagedList([entities.metric(each) for each in points], None)
        most = limits.HISTORY_PAGE if max_results is None else max_results
        page = self._tracker.metric_history(
            run_id, metric_key, limit=min(most, limits.HISTORY_PAGE), page_token=page_token or None
        )
        return PagedList([entities.metric(each) for each in page.items], page.next)

    def get_metric_history_bulk(
        self, run_ids: Sequence[str], metric_key: str, max_results: int
    ) -> list[MetricWithRunId]:
        points = chain.from_iterable(self._points(run_id, metric_key) for run_id in run_ids)
        return list(islice(points, max_results))

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[MetricWithRunId]:
        """Return at most `max_results` points of each run, with its extremes, for a chart."""
        return [
            MetricWithRunId(entities.metric(point), run_id)
            for run_id in run_ids
            for point in self._thinned(run_id, metric_key, max_results, start_step, end_step)
        ]

    def _thinned(
        self, run_id: str, key: str, most: int, first: int | None, last: int | None
    ) -> list[Metric]:
        found = self._tracker.downsample_metric(
            run_id, key, points=max(most, 2), first_step=first, last_step=last
        )
        rows = zip(found.values, found.timestamps, found.steps, strict=True)
        return [Metric(key, value, timestamp, step) for value, timestamp, step in rows][-most:]

    def _points(self, run_id: str, key: str) -> Iterator[MetricWithRunId]:
        for point in self._tracker.iter_metric_history(run_id, key):
            yield MetricWithRunId(entities.metric(point), run_id)

    # What MLflow looks for by name

    def search_traces(self, *_args: Any, **_kwargs: Any) -> tuple[list[Any], None]:
        return [], None

    def _search_datasets(self, experiment_ids: Sequence[str]) -> list[Any]:
        return [
            theirs.dataset_summary._DatasetSummary(*astuple(each))  # noqa: SLF001
            for each in datasets.summaries(self._tracker, list(experiment_ids))
        ]

    def _get_deleted_runs(self, older_than: int = 0) -> list[str]:
        return gc.deleted_runs(self._tracker, older_than)

    def _get_deleted_logged_models(self, older_than: int | None = None) -> list[str]:
        return gc.deleted_models(self._tracker, older_than or 0)

    def _hard_delete_run(self, run_id: str) -> None:
        self._tracker.purge_run(run_id)

    def _hard_delete_logged_model(self, model_id: str) -> None:
        self._tracker.purge_logged_model(model_id)

    def _hard_delete_experiment(self, experiment_id: str) -> None:
        self._tracker.purge_experiment(experiment_id)
