"""MLflow's entities of models: logged ones, registered ones, and versions."""

from collections.abc import Iterable

from mlflow import entities as theirs
from mlflow.entities import model_registry as registered

from trackstore.mlflow_plugin.places import shown
from trackstore.registered import LoggedModel, ModelMetric, ModelVersion, RegisteredModel


def logged_model(found: LoggedModel) -> theirs.LoggedModel:
    return theirs.LoggedModel(
        experiment_id=found.experiment_id,
        model_id=found.id,
        name=found.name,
        artifact_location=shown(found.artifact_uri),
        creation_timestamp=found.creation_time,
        last_updated_timestamp=found.last_update_time,
        model_type=found.model_type or None,
        source_run_id=found.source_run_id or None,
        status=theirs.LoggedModelStatus(str(found.status)),
        status_message=found.status_message or None,
        tags=dict(found.tags),
        params=dict(found.params),
        metrics=[_metric(found.id, each) for each in found.metrics],
    )


def _metric(model_id: str, found: ModelMetric) -> theirs.Metric:
    point = found.point
    return theirs.Metric(
        key=point.key,
        value=point.value,
        timestamp=point.timestamp,
        step=point.step,
        model_id=model_id,
        dataset_name=found.dataset_name or None,
        dataset_digest=found.dataset_digest or None,
        run_id=found.run_id,
    )


def registered_model(found: RegisteredModel) -> registered.RegisteredModel:
    aliases = found.aliases.items()
    return registered.RegisteredModel(
        found.name,
        found.creation_time,
        found.last_update_time,
        found.description,
        versions(found.latest),
        [registered.RegisteredModelTag(key, value) for key, value in found.tags.items()],
        [registered.RegisteredModelAlias(alias, str(version)) for alias, version in aliases],
    )


def versions(found: Iterable[ModelVersion]) -> list[registered.ModelVersion]:
    return [version_entity(each) for each in found]


def version_entity(found: ModelVersion) -> registered.ModelVersion:
    return registered.ModelVersion(
        name=found.name,
        version=str(found.version),
        creation_timestamp=found.creation_time,
        last_updated_timestamp=found.last_update_time,
        description=found.description,
        user_id=found.user_id or None,
        current_stage=str(found.stage),
        source=shown(found.source),
        run_id=found.run_id or None,
        status=str(found.status),
        status_message=found.status_message or None,
        tags=[registered.ModelVersionTag(key, value) for key, value in found.tags.items()],
        run_link=found.run_link,
        aliases=list(found.aliases),
        model_id=found.model_id or None,
    )
