"""MLflow's entities from ours, and ours from MLflow's."""

import math
import operator
import sys
from collections.abc import Iterable
from typing import Any

from mlflow import entities
from mlflow.entities import ViewType

from trackstore.errors import InvalidRequest
from trackstore.mlflow_plugin.places import shown
from trackstore.model import (
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
)

_STAGES = {
    ViewType.ACTIVE_ONLY: LifecycleStage.ACTIVE,
    ViewType.DELETED_ONLY: LifecycleStage.DELETED,
    ViewType.ALL: None,
}


def stage_of(view_type: int | None) -> LifecycleStage | None:
    """Return the stage that a view type selects, None for both."""
    return _STAGES[ViewType.ACTIVE_ONLY if view_type is None else view_type]


def pairs(given: Iterable[Any] | None) -> list[tuple[str, str]]:
    """Return params or tags as pairs."""
    return [(each.key, each.value) for each in given or ()]


def metric_from(given: entities.Metric) -> Metric:
    links: tuple[MetricLink, ...] = ()
    if given.model_id or given.dataset_name:
        link = MetricLink(
            given.model_id or "", given.dataset_name or "", given.dataset_digest or ""
        )
        links = (link,)
    step = _integer("step", given.key, given.step or 0)
    return Metric(
        given.key, given.value, _integer("timestamp", given.key, given.timestamp), step, links
    )


def _integer(what: str, key: str, value: Any) -> int:
    """Return an integer of any kind, such as numpy's, as Python's."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise InvalidRequest(
            f"the {what} of metric {key!r} must be an integer, not {type(value).__name__}"
        ) from error


def input_from(given: entities.DatasetInput) -> DatasetInput:
    data = given.dataset
    dataset = Dataset(
        data.name,
        data.digest,
        data.source_type or "",
        data.source or "",
        data.schema or None,
        data.profile or None,
    )
    return DatasetInput(dataset, dict(pairs(given.tags)))


def output_from(given: entities.LoggedModelOutput) -> ModelOutput:
    return ModelOutput(given.model_id, given.step or 0)


def experiment(found: Experiment) -> entities.Experiment:
    return entities.Experiment(
        experiment_id=found.id,
        name=found.name,
        artifact_location=shown(found.artifact_location),
        lifecycle_stage=str(found.lifecycle_stage),
        tags=[entities.ExperimentTag(key, value) for key, value in found.tags.items()],
        creation_time=found.creation_time,
        last_update_time=found.last_update_time,
    )


def metric(found: Metric) -> entities.Metric:
    return entities.Metric(found.key, _shown_value(found.value), found.timestamp, found.step)


def _shown_value(value: float) -> float:
    """Return the largest double for an infinity that MLflow's GraphQL asks for.

    GraphQL, which the run page of the UI uses, has none: one would make the whole page an error.
    """
    if math.isinf(value) and _is_graphql():
        return math.copysign(sys.float_info.max, value)
    return value


def _is_graphql() -> bool:
    flask = sys.modules.get("flask")
    return bool(flask and flask.has_request_context() and flask.request.path.endswith("/graphql"))


def run_info(found: Run) -> entities.RunInfo:
    return entities.RunInfo(
        run_id=found.id,
        experiment_id=found.experiment_id,
        user_id=found.user_id,
        status=str(found.status),
        start_time=found.start_time,
        end_time=found.end_time,
        lifecycle_stage=str(found.lifecycle_stage),
        artifact_uri=shown(found.artifact_uri),
        run_name=found.name,
    )


def run(found: Run) -> entities.Run:
    data = entities.RunData(
        metrics=[metric(each) for each in found.metrics.values()],
        params=[entities.Param(key, value) for key, value in found.params.items()],
        tags=[entities.RunTag(key, value) for key, value in found.tags.items()],
    )
    inputs = entities.RunInputs(
        dataset_inputs=[_dataset_input(each) for each in found.inputs],
        model_inputs=[entities.LoggedModelInput(each) for each in found.model_inputs],
    )
    outputs = entities.RunOutputs(
        [entities.LoggedModelOutput(each.model_id, each.step) for each in found.outputs]
    )
    return entities.Run(run_info(found), data, inputs, outputs)


def _dataset_input(found: DatasetInput) -> entities.DatasetInput:
    data = found.dataset
    dataset = entities.Dataset(
        data.name, data.digest, data.source_type, data.source, data.schema, data.profile
    )
    tags = [entities.InputTag(key, value) for key, value in found.tags.items()]
    return entities.DatasetInput(dataset, tags)
