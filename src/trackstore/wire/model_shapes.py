"""What replies about registered and logged models look like; as in `trackstore.wire.shapes`."""

from typing import Literal

from msgspec import Struct

from trackstore.registered import VersionStage, VersionStatus
from trackstore.wire.shapes import PointOfRun, Tag

LoggedStatus = Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]


class StoredAlias(Struct):
    alias: str
    version: str


class ModelVersion(Struct, kw_only=True):
    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: VersionStage
    description: str
    source: str
    run_id: str
    status: VersionStatus
    run_link: str
    tags: list[Tag] = []
    aliases: list[str] = []
    user_id: str | None = None
    model_id: str | None = None
    status_message: str | None = None


class RegisteredModel(Struct):
    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    latest_versions: list[ModelVersion] = []
    tags: list[Tag] = []
    aliases: list[StoredAlias] = []
    description: str | None = None


class RegisteredModelReply(Struct):
    registered_model: RegisteredModel


class RegisteredModelPage(Struct):
    registered_models: list[RegisteredModel] = []
    next_page_token: str | None = None


class ModelVersionReply(Struct):
    model_version: ModelVersion


class ModelVersions(Struct):
    model_versions: list[ModelVersion] = []


class ModelVersionPage(ModelVersions):
    next_page_token: str | None = None


class ModelLocation(Struct):
    artifact_uri: str


class LoggedModelInfo(Struct, kw_only=True):
    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: LoggedStatus
    model_type: str
    source_run_id: str
    tags: list[Tag] = []
    status_message: str | None = None


class PointOfModel(PointOfRun, kw_only=True):
    model_id: str
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LoggedModelData(Struct):
    params: list[Tag] = []
    metrics: list[PointOfModel] = []


class LoggedModel(Struct):
    info: LoggedModelInfo
    data: LoggedModelData


class LoggedModelReply(Struct):
    model: LoggedModel


class LoggedModelPage(Struct):
    models: list[LoggedModel] = []
    next_page_token: str | None = None
