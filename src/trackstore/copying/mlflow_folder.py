"""The files of an MLflow folder such as `mlruns`, which are only read."""

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from trackstore.copying.source import POINTS
from trackstore.errors import BackendError, InvalidRequest, Unsupported
from trackstore.locations import tidy, url_of
from trackstore.model import (
    RUN_NAME,
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
    RunStatus,
    order_image,
)
from trackstore.registered import (
    LoggedModel,
    LoggedModelStatus,
    ModelVersion,
    RegisteredModel,
    VersionStage,
    VersionStatus,
)

_TRASH = ".trash"
_STATUSES = (None, "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_MODEL_STATUSES = {2: LoggedModelStatus.READY, 3: LoggedModelStatus.FAILED}
_NOT_RUNS = frozenset({"tags", "datasets", "models", "traces"})

Place = tuple[str, int, int, int]
"""What a point is: key, step, timestamp, image of its value."""


class MLflowFolder:
    """Reads experiments, in the trash too, and the registry that lies among them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, Path] = {}
        if not any(root.glob("*/meta.yaml")):
            raise InvalidRequest("there is no folder of MLflow at the source")

    def close(self) -> None:
        """Release nothing: files are closed as they are read."""

    def experiments(self) -> Iterator[Experiment]:
        for folder in (*_folders(self._root), *_folders(self._root / _TRASH)):
            if folder.name in {"models", _TRASH}:
                continue
            row = _meta(folder)
            ident = str(row["experiment_id"])
            self._folders[ident] = folder
            created = row.get("creation_time") or 0
            yield Experiment(
                ident,
                row["name"],
                self._found(ident, row.get("artifact_location") or ""),
                created,
                row.get("last_update_time") or created,
                LifecycleStage(row["lifecycle_stage"]),
                _texts(folder / "tags"),
            )

    def runs(self, experiment_id: str) -> Iterator[Run]:
        folder = self._folders[experiment_id]
        for place in _folders(folder):
            if place.name not in _NOT_RUNS:
                yield self._run(experiment_id, place)

    def points(self, run: Run) -> Iterator[Sequence[Metric]]:
        folder = self._folders[run.experiment_id] / run.id / "metrics"
        links = self._links(run)
        for key, file in _files(folder):
            found = sorted(_points(key, file), key=_place)
            for start in range(0, len(found), POINTS):
                yield [_linked(each, links) for each in found[start : start + POINTS]]

    def logged_models(self, experiment_id: str) -> Iterator[LoggedModel]:
        for folder in _folders(self._folders[experiment_id] / "models"):
            row = _meta(folder)
            yield LoggedModel(
                row["model_id"],
                experiment_id,
                row["name"],
                row["creation_timestamp"],
                row["last_updated_timestamp"],
                self._found(experiment_id, row["artifact_location"]),
                row["source_run_id"] or "",
                row["model_type"] or "",
                _MODEL_STATUSES.get(row["status"], LoggedModelStatus.PENDING),
                row["status_message"] or "",
                LifecycleStage(row.get("lifecycle_stage") or "active"),
                _texts(folder / "params"),
                _texts(folder / "tags"),
            )

    def registered_models(self) -> Iterator[RegisteredModel]:
        for folder in _folders(self._root / "models"):
            row = _meta(folder)
            yield RegisteredModel(
                row["name"],
                row["creation_timestamp"],
                row["last_updated_timestamp"],
                row["description"] or "",
                _texts(folder / "tags"),
                {alias: int(version) for alias, version in _texts(folder / "aliases").items()},
            )

    def versions(self, name: str) -> Iterator[ModelVersion]:
        found = [(_meta(folder), folder) for folder in _folders(self._root / "models" / name)]
        for row, folder in sorted(found, key=lambda each: int(each[0]["version"])):
            source = row["source"] or ""
            yield ModelVersion(
                name,
                int(row["version"]),
                row["creation_timestamp"],
                row["last_updated_timestamp"],
                source,
                row.get("storage_location") or source,
                row["run_id"] or "",
                row.get("model_id") or "",
                row["user_id"] or "",
                row["run_link"] or "",
                row["description"] or "",
                VersionStage(row["current_stage"] or "None"),
                VersionStatus(row["status"] or "READY"),
                row["status_message"] or "",
                _texts(folder / "tags"),
            )

    def _run(self, experiment_id: str, folder: Path) -> Run:
        row = _meta(folder)
        tags = _texts(folder / "tags")
        if not tags.get(RUN_NAME):
            tags.pop(RUN_NAME, None)
        name = row.get("run_name") or row.get("name") or ""
        inputs, read = self._inputs(experiment_id, folder)
        return Run(
            row.get("run_id") or row["run_uuid"],
            experiment_id,
            row["start_time"] or 0,
            self._found(experiment_id, row["artifact_uri"] or ""),
            user_id=row["user_id"] or "",
            status=RunStatus(_STATUSES[row["status"]] or "RUNNING"),
            end_time=row["end_time"],
            deleted_time=row.get("deleted_time"),
            lifecycle_stage=LifecycleStage(row["lifecycle_stage"]),
            params=_texts(folder / "params"),
            tags={RUN_NAME: name, **tags} if name else tags,
            metrics={
                key: max(_points(key, file), key=_place)
                for key, file in _files(folder / "metrics")
                if file.stat().st_size
            },
            inputs=tuple(inputs),
            model_inputs=tuple(read),
            outputs=tuple(
                ModelOutput(row["destination_id"], row.get("step") or 0)
                for row in map(_meta, _folders(folder / "outputs"))
            ),
        )

    def _inputs(self, experiment_id: str, folder: Path) -> tuple[list[DatasetInput], list[str]]:
        datasets, models = [], []
        for row in map(_meta, _folders(folder / "inputs")):
            if row["source_type"] != "DATASET":
                models.append(row["destination_id"])
                continue
            data = _meta(self._folders[experiment_id] / "datasets" / row["source_id"])
            datasets.append(DatasetInput(msgspec.convert(data, Dataset), row.get("tags") or {}))
        return datasets, models

    def _links(self, run: Run) -> Mapping[Place, list[MetricLink]]:
        """Return which points of a run are about a model: its folder repeats them."""
        found: dict[Place, list[MetricLink]] = defaultdict(list)
        for model in _folders(self._folders[run.experiment_id] / "models"):
            for key, file in _files(model / "metrics"):
                for line in file.read_text().splitlines():
                    time, value, step, run_id, *dataset = line.split(" ", 4)
                    if run_id == run.id:
                        point = Metric(key, float(value), int(time), int(step))
                        name, _, digest = "".join(dataset).rpartition(" ")
                        found[_place(point)].append(MetricLink(model.name, name, digest))
        return found

    def _found(self, experiment_id: str, location: str) -> str:
        """Return where artifacts are: those of a deleted experiment have moved with it."""
        if not location:
            return ""
        uri = tidy(url_of(location))
        home = self._root.absolute().as_uri()
        if self._folders[experiment_id].parent.name == _TRASH:
            return uri.replace(f"{home}/{experiment_id}", f"{home}/{_TRASH}/{experiment_id}", 1)
        return uri


def _folders(folder: Path) -> list[Path]:
    return sorted(place.parent for place in folder.glob("*/meta.yaml"))


def _meta(folder: Path) -> dict[str, Any]:
    try:
        import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - only these folders need it
    except ModuleNotFoundError as error:
        raise Unsupported(
            "a folder of MLflow needs the package 'yaml': pip install 'trackstore[mlruns]'"
        ) from error
    try:
        with (folder / "meta.yaml").open() as file:
            found: dict[str, Any] = yaml.load(file, yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise BackendError(f"meta.yaml of {folder.name!r} cannot be read") from error
    return found


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield files by key, which may have folders in it."""
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            yield file.relative_to(folder).as_posix(), file


def _texts(folder: Path) -> dict[str, str]:
    return {key: file.read_bytes().decode() for key, file in _files(folder)}


def _points(key: str, file: Path) -> Iterator[Metric]:
    """Yield the points of a file, of which a line is: time, value, step, and maybe a dataset."""
    for line in file.read_text().splitlines():
        time, value, *rest = line.split(" ", 3)
        number = float(value)
        number = math.nan if math.isnan(number) else number + 0.0
        links: tuple[MetricLink, ...] = ()
        if len(rest) > 1:
            name, _, digest = rest[1].rpartition(" ")
            links = (MetricLink("", name, digest),)
        yield Metric(key, number, int(time), int(rest[0]) if rest else 0, links)


def _place(point: Metric) -> Place:
    return point.key, point.step, point.timestamp, order_image(point.value)


def _linked(point: Metric, links: Mapping[Place, list[MetricLink]]) -> Metric:
    about = links.get(_place(point))
    if not about:
        return point
    return Metric(point.key, point.value, point.timestamp, point.step, tuple(sorted(about)))
