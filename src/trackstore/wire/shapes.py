"""What replies look like, for the description of the API; `replies` makes them.

A field with a default is left out when there is nothing to tell.
"""

from typing import Literal

from msgspec import Struct

from trackstore.model import LifecycleStage, RunStatus
from trackstore.wire.requests import Pair

Number = float | Literal["NaN", "Infinity", "-Infinity"]


class Tag(Pair):
    """A tag or a param, as stored."""

    value: str


class Experiment(Struct):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    last_update_time: int
    creation_time: int
    tags: list[Tag] = []


class ExperimentId(Struct):
    experiment_id: str


class ExperimentReply(Struct):
    experiment: Experiment


class ExperimentPage(Struct):
    experiments: list[Experiment] = []
    next_page_token: str | None = None


class RunInfo(Struct, kw_only=True):
    run_id: str
    run_uuid: str
    experiment_id: str
    run_name: str
    user_id: str
    status: RunStatus
    start_time: int
    end_time: int | None = None
    artifact_uri: str
    lifecycle_stage: LifecycleStage


class StoredPoint(Struct):
    key: str
    value: Number
    timestamp: int
    step: int


class PointOfRun(StoredPoint):
    run_id: str


class RunData(Struct):
    metrics: list[StoredPoint] = []
    params: list[Tag] = []
    tags: list[Tag] = []


class StoredDataset(Struct):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class StoredInput(Struct):
    dataset: StoredDataset
    tags: list[Tag] = []


class ModelInput(Struct):
    model_id: str


class ModelOutput(Struct):
    model_id: str
    step: int


class RunInputs(Struct):
    dataset_inputs: list[StoredInput] = []
    model_inputs: list[ModelInput] = []


class RunOutputs(Struct):
    model_outputs: list[ModelOutput] = []


class Run(Struct):
    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs


class RunReply(Struct):
    run: Run


class RunInfoReply(Struct):
    run_info: RunInfo


class RunPage(Struct):
    runs: list[Run] = []
    next_page_token: str | None = None


class HistoryPage(Struct):
    metrics: list[StoredPoint] = []
    next_page_token: str | None = None


class Histories(Struct):
    metrics: list[PointOfRun] = []


class File(Struct):
    path: str
    is_dir: bool
    file_size: int | None = None


class Files(Struct):
    files: list[File] = []


class RunFiles(Files, kw_only=True):
    root_uri: str


class Part(Struct):
    url: str
    part_number: int
    headers: dict[str, str]


class BegunUpload(Struct):
    upload_id: str
    credentials: list[Part]


class SignedUpload(Struct):
    presigned_url: str
    headers: dict[str, str]


class SignedDownload(SignedUpload):
    file_size: int


class Failure(Struct):
    """What any call is answered with that does not succeed."""

    error_code: str
    message: str
