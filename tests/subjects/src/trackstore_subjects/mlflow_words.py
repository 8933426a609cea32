"""MLflow's values and errors in the contract's words, and the other way round.

What MLflow has no field for is kept in two tags: our id, and the rest as JSON.
"""

import json
from typing import Any

from mlflow import entities
from mlflow.exceptions import MlflowException

from trackstore import errors, model
from trackstore.model import RUN_NAME, Batch, Experiment, LifecycleStage, Metric, Run, RunStatus

ID, REST, UNNAMED = "trackstore.id", "trackstore.rest", "trackstore: no name"
CODES = {
    "RESOURCE_DOES_NOT_EXIST": errors.NotFound,
    "RESOURCE_ALREADY_EXISTS": errors.AlreadyExists,
    "INVALID_STATE": errors.InvalidState,
    "INVALID_PARAMETER_VALUE": errors.InvalidRequest,
    "BAD_REQUEST": errors.InvalidRequest,
}


def translated(error: Exception) -> errors.TrackstoreError:
    said = f"{type(error).__name__}: {error}"
    if not isinstance(error, MlflowException):
        return errors.BackendError(said)
    if "Changing param values is not allowed" in said:
        return errors.Conflict(said)
    if "must be in" in said and "'active'" in said:
        return errors.InvalidState(said)
    return CODES.get(error.error_code, errors.BackendError)(said)


def tags_of(experiment: Experiment) -> list[entities.ExperimentTag]:
    kept = [experiment.artifact_location, experiment.creation_time, experiment.last_update_time]
    tags = {**experiment.tags, ID: experiment.id, REST: json.dumps(kept)}
    return [entities.ExperimentTag(key, value) for key, value in tags.items()]


def later(found: entities.Experiment, last_update_time: int) -> str:
    return json.dumps([*json.loads(found.tags[REST])[:2], last_update_time])


def as_experiment(found: entities.Experiment) -> Experiment:
    location, created, updated = json.loads(found.tags[REST])
    return Experiment(
        found.tags[ID],
        found.name,
        location,
        created,
        updated,
        LifecycleStage(found.lifecycle_stage),
        without(found.tags),
    )


def all_tags(found: Any) -> dict[str, str]:
    return found.tags if isinstance(found, entities.Experiment) else found.data.tags


def without(tags: dict[str, str]) -> dict[str, str]:
    ours = {(ID, tags.get(ID)), (REST, tags.get(REST)), (RUN_NAME, UNNAMED)}
    return {key: value for key, value in tags.items() if (key, value) not in ours}


def run_tags(tags: dict[str, str]) -> list[entities.RunTag]:
    return [entities.RunTag(key, value) for key, value in tags.items()]


def tags_of_run(run: Run) -> list[entities.RunTag]:
    """MLflow makes up a name for a run that has none."""
    rest = json.dumps([run.experiment_id, run.artifact_uri, run.deleted_time])
    return run_tags({**run.tags, RUN_NAME: run.name or UNNAMED, ID: run.id, REST: rest})


def deleted_at(found: entities.Run, time: int | None) -> str:
    return json.dumps([*json.loads(found.data.tags[REST])[:2], time])


def as_run(found: entities.Run) -> Run:
    home, uri, deleted = json.loads(found.data.tags[REST])
    info = found.info
    return Run(
        found.data.tags[ID],
        home,
        info.start_time,
        uri,
        info.user_id,
        RunStatus(info.status),
        info.end_time,
        deleted if info.lifecycle_stage == "deleted" else None,
        LifecycleStage(info.lifecycle_stage),
        found.data.params,
        without(found.data.tags),
        {point.key: as_metric(point) for point in found.data._metric_objs},
        tuple(map(as_input, found.inputs.dataset_inputs)),
        tuple(each.model_id for each in found.inputs.model_inputs or ()),
        tuple(
            model.ModelOutput(each.model_id, each.step)
            for each in (found.outputs.model_outputs if found.outputs else None) or ()
        ),
    )


def as_metric(point: entities.Metric) -> Metric:
    return Metric(point.key, float(point.value), point.timestamp, point.step)


def as_input(found: entities.DatasetInput) -> model.DatasetInput:
    it = found.dataset
    dataset = model.Dataset(it.name, it.digest, it.source_type, it.source, it.schema, it.profile)
    return model.DatasetInput(dataset, {tag.key: tag.value for tag in found.tags})


def batch_of(batch: Batch) -> tuple[list, list, list]:
    if any(point.links for point in batch.metrics):
        raise errors.Unsupported("the adapter has no links of metrics")
    return (
        [entities.Metric(p.key, p.value, p.timestamp, p.step) for p in batch.metrics],
        [entities.Param(key, value) for key, value in batch.params.items()],
        run_tags(dict(batch.tags)),
    )


def inputs_of(batch: Batch) -> tuple[list, list]:
    datasets = [
        entities.DatasetInput(
            entities.Dataset(
                it.dataset.name,
                it.dataset.digest,
                it.dataset.source_type,
                it.dataset.source,
                it.dataset.schema,
                it.dataset.profile,
            ),
            [entities.InputTag(key, value) for key, value in it.tags.items()],
        )
        for it in batch.inputs
    ]
    return datasets, [entities.LoggedModelInput(ident) for ident in batch.model_inputs]


def is_ours(found: Any) -> bool:
    """Metrics are; of experiments and runs, those that have our tags (not MLflow's "Default")."""
    return isinstance(found, entities.Metric) or REST in all_tags(found)
