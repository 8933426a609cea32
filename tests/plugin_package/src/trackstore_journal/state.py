"""What the lines of a journal add up to: each method checks its rules, then makes the change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, Conflict, InvalidState, NotFound
from trackstore.model import (
    Applied,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
    RunChanges,
    order_image,
)

T = TypeVar("T")
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


@dataclass
class StoredRun:
    run: Run
    """The run itself, in its own stage and without data."""
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    points: dict[str, dict[tuple[int, int, int], Metric]] = field(default_factory=dict)
    inputs: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    model_inputs: set[str] = field(default_factory=set)
    outputs: set[ModelOutput] = field(default_factory=set)


@dataclass
class State:
    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: dict[str, StoredRun] = field(default_factory=dict)
    datasets: dict[tuple[str, str, str], Dataset] = field(default_factory=dict)

    def experiment(self, experiment_id: str) -> Experiment:
        if experiment_id not in self.experiments:
            raise NotFound(f"there is no experiment {experiment_id[:100]!r}")
        return self.experiments[experiment_id]

    def named(self, name: str) -> Experiment | None:
        living = (e for e in self.experiments.values() if e.lifecycle_stage is ACTIVE)
        return next((each for each in living if each.name == name), None)

    def check_name(self, wanted: Experiment) -> None:
        holder = self.named(wanted.name)
        if wanted.lifecycle_stage is ACTIVE and holder and holder.id != wanted.id:
            raise AlreadyExists(f"an experiment is named {wanted.name[:100]!r}", field="name")

    def create_experiment(self, new: Experiment) -> Experiment:
        old = self.experiments.get(new.id)
        if old is None:
            self.check_name(new)
            self.experiments[new.id] = new
        elif (old.name, old.creation_time) != (new.name, new.creation_time):
            raise AlreadyExists(f"experiment {new.id} exists", field="id")
        return self.experiments[new.id]

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        old = self.experiment(experiment_id)
        tags, absent = edited(old.tags, changes.tags, changes.deleted_tags)
        new = replace(
            old,
            name=given(changes.name, old.name),
            lifecycle_stage=given(changes.lifecycle_stage, old.lifecycle_stage),
            last_update_time=given(changes.last_update_time, old.last_update_time),
            tags=tags,
        )
        edits = changes.name is not UNSET or changes.tags or changes.deleted_tags
        if edits and old.lifecycle_stage is new.lifecycle_stage is DELETED:
            raise InvalidState(f"experiment {experiment_id} is deleted")
        self.check_name(new)
        self.experiments[experiment_id] = new
        return Applied(absent)

    def purge_experiment(self, experiment_id: str) -> None:
        if self.experiment(experiment_id).lifecycle_stage is ACTIVE:
            raise InvalidState(f"experiment {experiment_id} is active")
        del self.experiments[experiment_id]
        kept = {i: s for i, s in self.runs.items() if s.run.experiment_id != experiment_id}
        self.runs = kept
        self.datasets = {i: d for i, d in self.datasets.items() if i[0] != experiment_id}

    def stored(self, run_id: str) -> StoredRun:
        if run_id not in self.runs:
            raise NotFound(f"there is no run {run_id[:100]!r}")
        return self.runs[run_id]

    def stage(self, run: Run) -> LifecycleStage:
        home = self.experiments[run.experiment_id]
        return DELETED if DELETED in {run.lifecycle_stage, home.lifecycle_stage} else ACTIVE

    def create_run(self, new: Run) -> Run:
        if new.id in self.runs:
            old = self.whole(self.runs[new.id])
            if created_as(old) != created_as(new):
                raise AlreadyExists(f"run {new.id} exists", field="id")
            return old
        if self.experiment(new.experiment_id).lifecycle_stage is DELETED:
            raise InvalidState(f"experiment {new.experiment_id} is deleted")
        self.runs[new.id] = StoredRun(replace(new, tags={}), dict(new.tags))
        return new

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        stored = self.stored(run_id)
        old = stored.run
        new = replace(
            old,
            status=given(changes.status, old.status),
            end_time=given(changes.end_time, old.end_time),
            lifecycle_stage=given(changes.lifecycle_stage, old.lifecycle_stage),
            deleted_time=given(changes.deleted_time, old.deleted_time),
        )
        edits = changes.tags or changes.status is not UNSET or changes.end_time is not UNSET
        if edits and self.stage(old) is self.stage(new) is DELETED:
            raise InvalidState(f"run {run_id} is deleted")
        stored.run = new
        stored.tags.update(changes.tags)

    def purge_run(self, run_id: str) -> None:
        if self.stage(self.stored(run_id).run) is ACTIVE:
            raise InvalidState(f"run {run_id} is active")
        del self.runs[run_id]

    def log(self, run_id: str, batch: Batch) -> Applied:
        stored = self.stored(run_id)
        if self.stage(stored.run) is DELETED:
            raise InvalidState(f"run {run_id} is deleted")
        for key, value in batch.params.items():
            if stored.params.get(key, value) != value:
                raise Conflict(f"param {key!r} of run {run_id} has another value")
        stored.params.update(batch.params)
        for point in batch.metrics:
            add_point(stored.points.setdefault(point.key, {}), point)
        for used in batch.inputs:
            known = (used.dataset.name, used.dataset.digest)
            self.datasets.setdefault((stored.run.experiment_id, *known), used.dataset)
            stored.inputs.setdefault(known, {}).update(used.tags)
        stored.model_inputs.update(batch.model_inputs)
        stored.outputs.update(batch.outputs)
        stored.tags, absent = edited(stored.tags, batch.tags, batch.deleted_tags)
        return Applied(absent)

    def whole(self, stored: StoredRun) -> Run:
        """Return the run as callers see it: a copy, so that no later write changes it."""
        home = stored.run.experiment_id
        latest = {key: points[max(points)] for key, points in stored.points.items()}
        return replace(
            stored.run,
            lifecycle_stage=self.stage(stored.run),
            params=dict(stored.params),
            tags=dict(stored.tags),
            metrics={key: replace(point, links=()) for key, point in latest.items()},
            inputs=tuple(
                DatasetInput(self.datasets[home, *known], dict(tags))
                for known, tags in stored.inputs.items()
            ),
            model_inputs=tuple(stored.model_inputs),
            outputs=tuple(stored.outputs),
        )


def given(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new


def created_as(run: Run) -> tuple[str, int, str, str]:
    return run.experiment_id, run.start_time, run.user_id, run.name


def edited(
    old: Mapping[str, str], new: Mapping[str, str], deleted: Iterable[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    tags = {**old, **new}
    return tags, tuple(key for key in deleted if tags.pop(key, None) is None)


def add_point(points: dict[tuple[int, int, int], Metric], point: Metric) -> None:
    place = (point.step, point.timestamp, order_image(point.value))
    links: set[MetricLink] = {*point.links, *(points[place].links if place in points else ())}
    points[place] = replace(point, links=tuple(sorted(links)))
