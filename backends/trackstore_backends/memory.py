"""Stores that live in the process: for tests, notebooks, and as the shortest whole example.

`memory:` is private to its handle; `memory://name` is shared, by name, within the process.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, ClassVar, Self, TypeVar

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, Conflict, InvalidRequest, InvalidState, NotFound
from trackstore.model import (
    Applied,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    ExperimentCursor,
    LifecycleStage,
    Metric,
    MetricCursor,
    MetricLink,
    ModelOutput,
    Page,
    Run,
    RunChanges,
    RunCursor,
    from_order_image,
    order_image,
)
from trackstore.stores import BackendStore, Guarantees

T = TypeVar("T")
PointId = tuple[int, int, int]
"""(step, timestamp, order image of the value): what a point is within its key, and its order."""

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class _Run(Struct):
    """A run as stored: `fields` has no data, and its stage is the run's own."""

    fields: Run
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: dict[str, dict[PointId, set[MetricLink]]] = field(default_factory=dict)
    inputs: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    model_inputs: set[str] = field(default_factory=set)
    outputs: set[ModelOutput] = field(default_factory=set)


class _Data(Struct):
    lock: Lock = field(default_factory=Lock)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: dict[str, _Run] = field(default_factory=dict)
    datasets: dict[tuple[str, str, str], Dataset] = field(default_factory=dict)


_shared: dict[str, _Data] = {}
_sharing = Lock()


class MemoryBackendStore(BackendStore):
    guarantees: ClassVar = Guarantees(durability="none")
    ephemeral: ClassVar = True

    def __init__(self, data: _Data) -> None:
        self._data = data
        self._closed = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        name = shared_name(url)
        if name is None:
            return cls(_Data())
        with _sharing:
            return cls(_shared.setdefault(name, _Data()))

    def close(self) -> None:
        with self._data.lock:
            self._closed = True

    @contextmanager
    def _open(self) -> Iterator[_Data]:
        with self._data.lock:
            if self._closed:
                raise InvalidState("this store is closed")
            yield self._data

    def create_experiment(self, experiment: Experiment) -> Experiment:
        with self._open() as data:
            known = data.experiments.get(experiment.id)
            if known is not None:
                if (known.name, known.creation_time) == (experiment.name, experiment.creation_time):
                    return known
                raise AlreadyExists(f"experiment id {experiment.id} is taken", field="id")
            _check_name_is_free(data, experiment)
            data.experiments[experiment.id] = replace(experiment, tags=dict(experiment.tags))
            return experiment

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._open() as data:
            return _experiment(data, experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        with self._open() as data:
            found = _living(data, name)
        if found is None:
            raise NotFound(f"no living experiment is named {name[:100]!r}")
        return found

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        with self._open() as data:
            old = _experiment(data, experiment_id)
            tags = {**old.tags, **changes.tags}
            absent = tuple(key for key in changes.deleted_tags if tags.pop(key, None) is None)
            new = replace(
                old,
                name=_given(changes.name, old.name),
                lifecycle_stage=_given(changes.lifecycle_stage, old.lifecycle_stage),
                last_update_time=_given(changes.last_update_time, old.last_update_time),
                tags=tags,
            )
            edits = changes.name is not UNSET or changes.tags or changes.deleted_tags
            if edits and DELETED is old.lifecycle_stage is new.lifecycle_stage:
                raise InvalidState(f"experiment {experiment_id} is deleted")
            _check_name_is_free(data, new)
            data.experiments[experiment_id] = new
            return Applied(absent)

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        with self._open() as data:
            found = [
                experiment
                for experiment in data.experiments.values()
                if stage in {None, experiment.lifecycle_stage}
            ]
        start = None if after is None else (-after[0], after[1])
        rows, more = _page(found, lambda each: (-each.creation_time, each.id), start, limit)
        return Page(rows, (rows[-1].creation_time, rows[-1].id) if more else None)

    def create_run(self, run: Run) -> Run:
        with self._open() as data:
            if run.id in data.runs:
                known = _whole(data, data.runs[run.id])
                if _creation_fields(known) == _creation_fields(run):
                    return known
                raise AlreadyExists(f"run id {run.id} is taken", field="id")
            if _experiment(data, run.experiment_id).lifecycle_stage is DELETED:
                raise InvalidState(f"experiment {run.experiment_id} is deleted")
            data.runs[run.id] = _Run(replace(run, tags={}), tags=dict(run.tags))
            return run

    def get_run(self, run_id: str) -> Run:
        with self._open() as data:
            return _whole(data, _run(data, run_id))

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        with self._open() as data:
            run = _run(data, run_id)
            new = replace(
                run.fields,
                status=_given(changes.status, run.fields.status),
                end_time=_given(changes.end_time, run.fields.end_time),
                deleted_time=_given(changes.deleted_time, run.fields.deleted_time),
                lifecycle_stage=_given(changes.lifecycle_stage, run.fields.lifecycle_stage),
            )
            edits = changes.tags or not (changes.status is changes.end_time is UNSET)
            if edits and DELETED is _stage(data, run.fields) is _stage(data, new):
                raise InvalidState(f"run {run_id} is deleted")
            run.fields = new
            run.tags.update(changes.tags)

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        with self._open() as data:
            found = [
                run.fields
                for run in data.runs.values()
                if run.fields.experiment_id == experiment_id
                and stage in {None, _stage(data, run.fields)}
            ]
            start = None if after is None else (-after[0], after[1])
            rows, more = _page(found, lambda each: (-each.start_time, each.id), start, limit)
            whole = [_whole(data, data.runs[run.id]) for run in rows]
        return Page(whole, (rows[-1].start_time, rows[-1].id) if more else None)

    def log(self, run_id: str, batch: Batch) -> Applied:
        with self._open() as data:
            run = _run(data, run_id)
            if _stage(data, run.fields) is DELETED:
                raise InvalidState(f"run {run_id} is deleted")
            for key, value in batch.params.items():
                if run.params.get(key, value) != value:
                    raise Conflict(f"param {key!r} of run {run_id} already has another value")
            run.params.update(batch.params)
            for point in batch.metrics:
                points = run.points.setdefault(point.key, {})
                image = (point.step, point.timestamp, order_image(point.value))
                points.setdefault(image, set()).update(point.links)
            for read in batch.inputs:
                _add_input(data, run, read)
            run.model_inputs.update(batch.model_inputs)
            run.outputs.update(batch.outputs)
            run.tags.update(batch.tags)
            return Applied(
                tuple(key for key in batch.deleted_tags if run.tags.pop(key, None) is None)
            )

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        with self._open() as data:
            points = _run(data, run_id).points.get(key, {})
            start = None if after is None else (after[0], after[1], order_image(after[2]))
            rows, more = _page(points, lambda each: each, start, limit)
            found = [_metric(key, point, sorted(points[point])) for point in rows]
        last = found[-1] if more else None
        return Page(found, None if last is None else (last.step, last.timestamp, last.value))

    def purge_run(self, run_id: str) -> None:
        with self._open() as data:
            if _stage(data, _run(data, run_id).fields) is ACTIVE:
                raise InvalidState(f"run {run_id} is active: delete it before it is purged")
            del data.runs[run_id]

    def purge_experiment(self, experiment_id: str) -> None:
        with self._open() as data:
            if _experiment(data, experiment_id).lifecycle_stage is ACTIVE:
                raise InvalidState(
                    f"experiment {experiment_id} is active: delete it before it is purged"
                )
            del data.experiments[experiment_id]
            for run in [run.fields for run in data.runs.values()]:
                if run.experiment_id == experiment_id:
                    del data.runs[run.id]
            for dataset in [each for each in data.datasets if each[0] == experiment_id]:
                del data.datasets[dataset]


def shared_name(url: str) -> str | None:
    """Return the name in `memory://name`, or None for the private `memory:`."""
    if url == "memory:":
        return None
    name = url.removeprefix("memory://")
    if name == url or not name:
        raise InvalidRequest("expected memory: or memory://name")
    return name


def _given(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new


def _experiment(data: _Data, experiment_id: str) -> Experiment:
    try:
        return data.experiments[experiment_id]
    except KeyError:
        raise NotFound(f"there is no experiment {experiment_id[:100]!r}") from None


def _run(data: _Data, run_id: str) -> _Run:
    try:
        return data.runs[run_id]
    except KeyError:
        raise NotFound(f"there is no run {run_id[:100]!r}") from None


def _living(data: _Data, name: str) -> Experiment | None:
    named = (each for each in data.experiments.values() if each.name == name)
    return next((each for each in named if each.lifecycle_stage is ACTIVE), None)


def _check_name_is_free(data: _Data, wanted: Experiment) -> None:
    living = _living(data, wanted.name)
    if wanted.lifecycle_stage is ACTIVE and living is not None and living.id != wanted.id:
        raise AlreadyExists(f"a living experiment is named {wanted.name[:100]!r}")


def _creation_fields(run: Run) -> tuple[str, int, str, str]:
    return run.experiment_id, run.start_time, run.user_id, run.name


def _stage(data: _Data, run: Run) -> LifecycleStage:
    stages = {run.lifecycle_stage, data.experiments[run.experiment_id].lifecycle_stage}
    return DELETED if DELETED in stages else ACTIVE


def _whole(data: _Data, run: _Run) -> Run:
    experiment_id = run.fields.experiment_id
    return replace(
        run.fields,
        lifecycle_stage=_stage(data, run.fields),
        params=dict(run.params),
        tags=dict(run.tags),
        metrics={key: _metric(key, max(points)) for key, points in run.points.items()},
        inputs=tuple(
            DatasetInput(data.datasets[experiment_id, *dataset], dict(tags))
            for dataset, tags in run.inputs.items()
        ),
        model_inputs=tuple(run.model_inputs),
        outputs=tuple(run.outputs),
    )


def _add_input(data: _Data, run: _Run, read: DatasetInput) -> None:
    known = (read.dataset.name, read.dataset.digest)
    data.datasets.setdefault((run.fields.experiment_id, *known), read.dataset)
    run.inputs.setdefault(known, {}).update(read.tags)


def _metric(key: str, point: PointId, links: Iterable[MetricLink] = ()) -> Metric:
    step, timestamp, image = point
    return Metric(key, from_order_image(image), timestamp, step, tuple(links))


def _page(
    found: Iterable[T], key: Callable[[T], Any], start: Any, limit: int
) -> tuple[list[T], bool]:
    """Return the `limit` rows that follow `start` in the order of `key`, and if there are more."""
    rows = sorted(found, key=key)
    begin = 0 if start is None else bisect_right(rows, start, key=key)
    return rows[begin : begin + limit], len(rows) > begin + limit
