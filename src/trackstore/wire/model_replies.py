"""Registered and logged models in MLflow's JSON; as in `trackstore.wire.replies`."""

from trackstore.registered import (
    LoggedModel,
    LoggedModelStatus,
    ModelMetric,
    ModelVersion,
    RegisteredModel,
)
from trackstore.wire.replies import JSON, filled, pairs, point

STATUSES = {
    LoggedModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    LoggedModelStatus.READY: "LOGGED_MODEL_READY",
    LoggedModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}


def registered_model(found: RegisteredModel) -> JSON:
    reply: JSON = {
        "name": found.name,
        "creation_timestamp": found.creation_time,
        "last_updated_timestamp": found.last_update_time,
        **filled(
            latest_versions=[model_version(each) for each in found.latest],
            tags=pairs(found.tags),
            aliases=[
                {"alias": alias, "version": str(version)}
                for alias, version in found.aliases.items()
            ],
        ),
    }
    if found.description:
        reply["description"] = found.description
    return reply


def model_version(found: ModelVersion) -> JSON:
    reply: JSON = {
        "name": found.name,
        "version": str(found.version),
        "creation_timestamp": found.creation_time,
        "last_updated_timestamp": found.last_update_time,
        "current_stage": found.stage,
        "description": found.description,
        "source": found.source,
        "run_id": found.run_id,
        "status": found.status,
        "run_link": found.run_link,
        **filled(tags=pairs(found.tags), aliases=list(found.aliases)),
    }
    given = {
        "user_id": found.user_id,
        "model_id": found.model_id,
        "status_message": found.status_message,
    }
    return reply | {name: text for name, text in given.items() if text}


def logged_model(found: LoggedModel) -> JSON:
    info: JSON = {
        "model_id": found.id,
        "experiment_id": found.experiment_id,
        "name": found.name,
        "creation_timestamp_ms": found.creation_time,
        "last_updated_timestamp_ms": found.last_update_time,
        "artifact_uri": found.artifact_uri,
        "status": STATUSES[found.status],
        "model_type": found.model_type,
        "source_run_id": found.source_run_id,
        **filled(tags=pairs(found.tags)),
    }
    if found.status_message:
        info["status_message"] = found.status_message
    data = filled(params=pairs(found.params), metrics=[_metric(found, m) for m in found.metrics])
    return {"info": info, "data": data}


def _metric(model: LoggedModel, found: ModelMetric) -> JSON:
    reply = {**point(found.point), "run_id": found.run_id, "model_id": model.id}
    if found.dataset_name:
        reply["dataset_name"] = found.dataset_name
        reply["dataset_digest"] = found.dataset_digest
    return reply
