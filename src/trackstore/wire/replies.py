"""Replies in MLflow's JSON.

What is unset or empty is left out, as its clients expect; NaN and infinities are text, since
JSON has no numbers for them; integers of 64 bits are numbers.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trackstore.datasets import DatasetSummary
from trackstore.model import ArtifactInfo, DatasetInput, Experiment, Metric, Page, Run

JSON = dict[str, Any]

EMPTY = b"{}"
"""The reply to what has nothing to report."""

encode = msgspec.json.Encoder().encode


def experiment(found: Experiment) -> JSON:
    reply: JSON = {
        "experiment_id": found.id,
        "name": found.name,
        "artifact_location": found.artifact_location,
        "lifecycle_stage": found.lifecycle_stage,
        "last_update_time": found.last_update_time,
        "creation_time": found.creation_time,
    }
    if found.tags:
        reply["tags"] = pairs(found.tags)
    return reply


def run_info(found: Run) -> JSON:
    reply: JSON = {
        "run_uuid": found.id,
        "experiment_id": found.experiment_id,
        "run_name": found.name,
        "user_id": found.user_id,
        "status": found.status,
        "start_time": found.start_time,
        "artifact_uri": found.artifact_uri,
        "lifecycle_stage": found.lifecycle_stage,
        "run_id": found.id,
    }
    if found.end_time is not None:
        reply["end_time"] = found.end_time
    return reply


def run(found: Run) -> JSON:
    return {
        "info": run_info(found),
        "data": filled(
            metrics=[point(each) for each in found.metrics.values()],
            params=pairs(found.params),
            tags=pairs(found.tags),
        ),
        "inputs": filled(
            dataset_inputs=[_dataset_input(each) for each in found.inputs],
            model_inputs=[{"model_id": each} for each in found.model_inputs],
        ),
        "outputs": filled(
            model_outputs=[{"model_id": each.model_id, "step": each.step} for each in found.outputs]
        ),
    }


def point(found: Metric) -> JSON:
    return {
        "key": found.key,
        "value": number(found.value),
        "timestamp": found.timestamp,
        "step": found.step,
    }


def points_of(run_id: str, found: Iterable[Metric]) -> list[JSON]:
    """Return points of one run among several, each with the run's id."""
    return [{**point(each), "run_id": run_id} for each in found]


def number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def page(name: str, found: Page[Any, str], items: list[JSON]) -> JSON:
    """Return the items of a page under their name, and the token of the next page, if any."""
    reply: JSON = filled(**{name: items})
    if found.next is not None:
        reply["next_page_token"] = found.next
    return reply


def artifact(found: ArtifactInfo, path: str) -> JSON:
    reply: JSON = {"path": path, "is_dir": found.is_folder}
    if found.size is not None:
        reply["file_size"] = found.size
    return reply


def dataset_summary(found: DatasetSummary) -> JSON:
    reply: JSON = {
        "experiment_id": found.experiment_id,
        "name": found.name,
        "digest": found.digest,
    }
    return reply if found.context is None else reply | {"context": found.context}


def pairs(found: Mapping[str, str]) -> list[JSON]:
    return [{"key": key, "value": value} for key, value in found.items()]


def filled(**lists: list[Any]) -> JSON:
    """Return the lists that are not empty: MLflow leaves out the others."""
    return {name: found for name, found in lists.items() if found}


def _dataset_input(found: DatasetInput) -> JSON:
    data = found.dataset
    dataset: JSON = {
        "name": data.name,
        "digest": data.digest,
        "source_type": data.source_type,
        "source": data.source,
    }
    if data.schema is not None:
        dataset["schema"] = data.schema
    if data.profile is not None:
        dataset["profile"] = data.profile
    return {**filled(tags=pairs(found.tags)), "dataset": dataset}
