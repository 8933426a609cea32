"""What the payload of a frame says: the writes of a group, in their order, as msgpack."""

from collections.abc import Mapping, Sequence
from struct import pack
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from trackstore.errors import InvalidRequest
from trackstore.model import (
    Batch,
    Dataset,
    Experiment,
    ExperimentChanges,
    Metric,
    MetricLink,
    Run,
    RunChanges,
)
from trackstore_backends.records.model_operations import ModelOperation
from trackstore_backends.state import RunRow, State

Point = tuple[str, float, int, int, tuple[MetricLink, ...]]
"""The fields of a `Metric`."""


class CreateExperiment(Struct, tag="experiment", array_like=True):
    experiment: Experiment

    def apply(self, state: State) -> object:
        return state.create_experiment(self.experiment)


class UpdateExperiment(Struct, tag="update experiment", array_like=True):
    experiment_id: str
    changes: ExperimentChanges

    def apply(self, state: State) -> object:
        return state.update_experiment(self.experiment_id, self.changes)


class PurgeExperiment(Struct, tag="purge experiment", array_like=True):
    experiment_id: str

    def apply(self, state: State) -> list[str]:
        return state.purge_experiment(self.experiment_id)


class CreateRun(Struct, tag="run", array_like=True):
    run: Run

    def apply(self, state: State) -> object:
        return state.create_run(self.run)


class UpdateRun(Struct, tag="update run", array_like=True):
    run_id: str
    changes: RunChanges

    def apply(self, state: State) -> None:
        state.update_run(self.run_id, self.changes)


class PurgeRun(Struct, tag="purge run", array_like=True):
    run_id: str

    def apply(self, state: State) -> list[str]:
        return state.purge_run(self.run_id)


class Log(Struct, tag="log", array_like=True):
    """A batch; its points stand by themselves, since most batches are nothing else."""

    run_id: str
    points: list[Point]
    rest: Batch | None = None

    def apply(self, state: State) -> object:
        points = [Metric(*point) for point in self.points]
        return state.log(self.run_id, replace(self.rest or Batch(), metrics=points))


class Keep(Struct, tag="keep", array_like=True):
    """What a journal that was rewritten begins with: an experiment as it was, or a run."""

    experiment: Experiment | None = None
    datasets: list[Dataset] = []
    run: RunRow | None = None

    def apply(self, state: State) -> object:
        if self.experiment is not None:
            state.keep_experiment(self.experiment, self.datasets)
        if self.run is not None:
            state.keep_run(self.run)
        return None


class KeepPoints(Struct, tag="points", array_like=True):
    """Points of a run that was kept: its latest ones are known, and it may be deleted."""

    run_id: str
    points: list[Point]

    def apply(self, state: State) -> object:
        return state.run(self.run_id)


Operation = (
    CreateExperiment
    | UpdateExperiment
    | PurgeExperiment
    | CreateRun
    | UpdateRun
    | PurgeRun
    | Log
    | Keep
    | KeepPoints
    | ModelOperation
)


def log_of(run_id: str, batch: Batch) -> Log:
    points = [(p.key, p.value, p.timestamp, p.step, p.links) for p in batch.metrics]
    if not (
        batch.params
        or batch.tags
        or batch.deleted_tags
        or batch.inputs
        or batch.model_inputs
        or batch.outputs
    ):
        return Log(run_id, points)
    return Log(run_id, points, replace(batch, metrics=()))


def encoded(operation: Operation) -> bytes:
    try:
        return _encoder.encode(operation)
    except (OverflowError, UnicodeEncodeError) as error:
        raise InvalidRequest("a number of more than 64 bits, or a lone surrogate") from error


def joined(operations: Sequence[bytes]) -> bytes:
    """Return the payload of operations that were encoded one by one: an array of them."""
    return pack(">BI", 0xDD, len(operations)) + b"".join(operations)


def decoded(payload: bytes) -> list[Operation]:
    """Raises `msgspec.DecodeError` if this is no payload."""
    return _decoder.decode(payload)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise NotImplementedError


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_decoder: msgspec.msgpack.Decoder[list[Operation]] = msgspec.msgpack.Decoder(list[Operation])
