"""What clients ask, one struct for each kind of request, with MLflow's field names.

A field without a default is required.  Old clients know a run by `run_uuid`, new ones by
`run_id`, and most send both.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import asdict

from trackstore.errors import InvalidRequest
from trackstore.model import Dataset, DatasetInput, LifecycleStage, Metric, MetricLink, ModelOutput
from trackstore.wire.decode import body_reader, missing

VIEW_TYPES = {
    "ACTIVE_ONLY": LifecycleStage.ACTIVE,
    "DELETED_ONLY": LifecycleStage.DELETED,
    "ALL": None,
}


class Pair(Struct):
    """A param or a tag; no value means an empty one."""

    key: str
    value: str | None = None


def pairs(given: Iterable[Pair] | None) -> list[tuple[str, str]]:
    return [(pair.key, pair.value or "") for pair in given or ()]


def stage_of(view_type: str | None) -> LifecycleStage | None:
    """Return the lifecycle stage that a view type selects, None for both."""
    try:
        return VIEW_TYPES[view_type or "ACTIVE_ONLY"]
    except KeyError:
        known = ", ".join(VIEW_TYPES)
        raise InvalidRequest(f"unknown view type; there are {known}") from None


class Nothing(Struct):
    """A request of which no field matters."""


# Experiments


class CreateExperiment(Struct):
    name: str
    artifact_location: str | None = None
    tags: list[Pair] | None = None


class ExperimentById(Struct):
    experiment_id: str


class ExperimentByName(Struct):
    experiment_name: str


class UpdateExperiment(Struct):
    experiment_id: str
    new_name: str


class SetExperimentTag(Struct):
    experiment_id: str
    key: str
    value: str | None = None


class DeleteExperimentTag(Struct):
    experiment_id: str
    key: str


class SearchExperiments(Struct):
    lists: ClassVar = frozenset({"order_by"})

    view_type: str | None = None
    max_results: int | None = None
    filter: str | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


# Runs


class RunById(Struct, kw_only=True):
    run_id: str | None = None
    run_uuid: str | None = None

    @property
    def run(self) -> str:
        found = self.run_id or self.run_uuid
        if not found:
            raise missing("run_id")
        return found


class CreateRun(Struct):
    experiment_id: str
    user_id: str | None = None
    run_name: str | None = None
    start_time: int | None = None
    tags: list[Pair] | None = None


class UpdateRun(RunById, kw_only=True):
    status: str | None = None
    end_time: int | None = None
    run_name: str | None = None


class SearchRuns(Struct):
    experiment_ids: list[str] | None = None
    filter: str | None = None
    run_view_type: str | None = None
    max_results: int | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class SetTag(RunById, kw_only=True):
    key: str
    value: str | None = None


class DeleteTag(RunById, kw_only=True):
    key: str


# Logging


class Point(Struct):
    """One point of a metric."""

    key: str
    value: float
    timestamp: int
    step: int | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogMetric(RunById, kw_only=True):
    key: str
    value: float
    timestamp: int
    step: int | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


def metric(given: Point | LogMetric) -> Metric:
    links: tuple[MetricLink, ...] = ()
    if given.model_id or given.dataset_name or given.dataset_digest:
        links = (_link(given),)
    return Metric(given.key, given.value, given.timestamp, given.step or 0, links)


def _link(given: Point | LogMetric) -> MetricLink:
    if bool(given.dataset_name) != bool(given.dataset_digest):
        raise InvalidRequest(
            "Both dataset_name and dataset_digest must be provided if one is provided"
        )
    return MetricLink(given.model_id or "", given.dataset_name or "", given.dataset_digest or "")


class LogParam(RunById, kw_only=True):
    key: str
    value: str | None = None


class LogBatch(RunById, kw_only=True):
    metrics: list[Point] | None = None
    params: list[Pair] | None = None
    tags: list[Pair] | None = None


class DatasetFields(Struct):
    name: str
    digest: str
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


class DatasetRead(Struct):
    dataset: DatasetFields
    tags: list[Pair] | None = None


class ModelRead(Struct):
    model_id: str


class ModelWritten(Struct):
    model_id: str
    step: int | None = None


class LogInputs(RunById, kw_only=True):
    datasets: list[DatasetRead] | None = None
    models: list[ModelRead] | None = None


class LogOutputs(RunById, kw_only=True):
    models: list[ModelWritten]


class LogModel(RunById, kw_only=True):
    """A model of an old client, as JSON in a text."""

    model_json: str


class NotedModel(Struct):
    """What of it is kept."""

    artifact_path: str
    flavors: dict[str, Any]
    utc_time_created: str
    run_id: str
    model_uuid: str | None = None


def noted_model(text: str) -> dict[str, Any]:
    """Return what is noted of a model, without the configuration of its flavors."""
    model = asdict(read_noted_model(text.encode()))
    model["flavors"] = {
        name: {key: value for key, value in flavor.items() if key != "config"}
        if isinstance(flavor, dict)
        else flavor
        for name, flavor in model["flavors"].items()
    }
    return {key: value for key, value in model.items() if value is not None}


read_noted_model = body_reader(NotedModel)


class SearchDatasets(Struct):
    experiment_ids: list[str]


def dataset_inputs(given: Iterable[DatasetRead] | None) -> list[DatasetInput]:
    return [DatasetInput(_dataset(read.dataset), dict(pairs(read.tags))) for read in given or ()]


def _dataset(given: DatasetFields) -> Dataset:
    return Dataset(
        given.name,
        given.digest,
        given.source_type or "",
        given.source or "",
        given.schema,
        given.profile,
    )


def model_outputs(given: Iterable[ModelWritten]) -> list[ModelOutput]:
    return [ModelOutput(model.model_id, model.step or 0) for model in given]


# Metrics


class GetHistory(RunById, kw_only=True):
    metric_key: str
    max_results: int | None = None
    page_token: str | None = None


class GetHistoryBulk(Struct):
    lists: ClassVar = frozenset({"run_id"})

    metric_key: str
    run_id: list[str]
    max_results: int | None = None


class GetHistoryInterval(Struct):
    lists: ClassVar = frozenset({"run_ids"})

    metric_key: str
    run_ids: list[str]
    start_step: int | None = None
    end_step: int | None = None
    max_results: int | None = None


# Artifacts


class ListRunArtifacts(RunById, kw_only=True):
    path: str | None = None


class ListArtifacts(Struct):
    path: str | None = None


class BeginUpload(Struct):
    path: str
    num_parts: int = 1


class UploadPart(Struct):
    part_number: int
    etag: str | None = None


class FinishUpload(Struct):
    path: str
    upload_id: str
    parts: list[UploadPart]


class AbortUpload(Struct):
    path: str
    upload_id: str


class PresignedDownload(Struct):
    run_id: str
    path: str
    expiration: int | None = None


class PresignedUpload(Struct):
    path: str
    run_id: str | None = None
    model_id: str | None = None
    expiration: int | None = None


class RunFile(RunById, kw_only=True):
    path: str
