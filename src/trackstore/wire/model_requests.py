"""What clients ask about registered and logged models; as in `trackstore.wire.requests`.

A `model_id` or `tag_key` is in the path, which counts whatever the body says.
"""

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

from trackstore.errors import InvalidRequest
from trackstore.model_filters import DatasetFilter, LoggedModelOrder
from trackstore.registered import LoggedModelStatus
from trackstore.wire.requests import Pair

STATUSES = {
    "LOGGED_MODEL_PENDING": LoggedModelStatus.PENDING,
    "LOGGED_MODEL_READY": LoggedModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": LoggedModelStatus.FAILED,
}

# Registered models


class CreateRegisteredModel(Struct):
    name: str
    tags: list[Pair] | None = None
    description: str | None = None


class RegisteredModelByName(Struct):
    name: str


class RenameRegisteredModel(Struct):
    name: str
    new_name: str


class UpdateRegisteredModel(Struct):
    name: str
    description: str | None = None


class SetRegisteredModelTag(Struct):
    name: str
    key: str
    value: str | None = None


class DeleteRegisteredModelTag(Struct):
    name: str
    key: str


class SearchModels(Struct):
    """Of registered models, or of their versions."""

    lists: ClassVar = frozenset({"order_by"})

    filter: str | None = None
    max_results: int | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class GetLatestVersions(Struct):
    lists: ClassVar = frozenset({"stages"})

    name: str
    stages: list[str] | None = None


class ModelAlias(Struct):
    name: str
    alias: str


class SetModelAlias(Struct):
    name: str
    alias: str
    version: str | int


# Versions


class CreateModelVersion(Struct):
    name: str
    source: str
    run_id: str | None = None
    tags: list[Pair] | None = None
    run_link: str | None = None
    description: str | None = None
    model_id: str | None = None


class ModelVersionByNumber(Struct):
    name: str
    version: str | int


class UpdateModelVersion(Struct):
    name: str
    version: str | int
    description: str | None = None


class TransitionStage(Struct):
    name: str
    version: str | int
    stage: str
    archive_existing_versions: bool | None = None


class SetModelVersionTag(Struct):
    name: str
    version: str | int
    key: str
    value: str | None = None


class DeleteModelVersionTag(Struct):
    name: str
    version: str | int
    key: str


class ModelVersionFile(Struct):
    name: str
    version: str | int
    path: str


# Logged models


class CreateLoggedModel(Struct):
    experiment_id: str
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: list[Pair] | None = None
    tags: list[Pair] | None = None


class LoggedModelById(Struct, kw_only=True):
    model_id: str = ""


class GetLoggedModel(LoggedModelById, kw_only=True):
    allow_deleted: bool | None = None


class FinalizeLoggedModel(LoggedModelById, kw_only=True):
    status: str

    @property
    def wanted(self) -> LoggedModelStatus:
        if self.status not in STATUSES:
            raise InvalidRequest(f"unknown status; there are {', '.join(STATUSES)}")
        return STATUSES[self.status]


class SetLoggedModelTags(LoggedModelById, kw_only=True):
    tags: list[Pair] | None = None


class DeleteLoggedModelTag(LoggedModelById, kw_only=True):
    tag_key: str = ""


class LogLoggedModelParams(LoggedModelById, kw_only=True):
    params: list[Pair] | None = None


class ListLoggedModelArtifacts(LoggedModelById, kw_only=True):
    artifact_directory_path: str | None = None


class LoggedModelFile(LoggedModelById, kw_only=True):
    artifact_file_path: str


class OnDataset(Struct):
    dataset_name: str | None = None
    dataset_digest: str | None = None


class OrderField(Struct):
    field_name: str
    ascending: bool | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class SearchLoggedModels(Struct):
    experiment_ids: list[str]
    filter: str | None = None
    datasets: list[OnDataset] | None = None
    max_results: int | None = None
    order_by: list[OrderField] | None = None
    page_token: str | None = None


def datasets(given: Iterable[OnDataset] | None) -> list[DatasetFilter]:
    return [_dataset(each) for each in given or ()]


def orders(given: Iterable[OrderField] | None) -> list[LoggedModelOrder]:
    return [
        LoggedModelOrder(
            each.field_name,
            descending=each.ascending is False,
            dataset=_dataset(each) if each.dataset_name or each.dataset_digest else None,
        )
        for each in given or ()
    ]


def _dataset(given: OnDataset | OrderField) -> DatasetFilter:
    return DatasetFilter(given.dataset_name or "", given.dataset_digest or "")
