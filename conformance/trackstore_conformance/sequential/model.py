"""What a backend store must do, written from the contract as plainly as it can be.

The model shares no code with any store, nor with `trackstore.search`.  It has no pages, threads
or files: it says which rows follow a cursor, and the machine compares a store's pages with them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

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
    RunQuery,
    SearchCursor,
)
from trackstore_conformance.sequential.model_search import (
    Number,
    cursor_of,
    number,
    rows_after,
    search_order,
)

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
Point = tuple[int, int, Number]
T = TypeVar("T")


class Refused(Exception):
    """The call must fail, in one of these ways, and change nothing.

    More than one way is right where a call breaks several rules at once.
    """

    def __init__(self, *ways: str) -> None:
        super().__init__(" or ".join(ways))
        self.ways = ways


@dataclass
class KnownRun:
    fields: Run
    """The run without data; its stage is its own."""
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    points: dict[str, dict[Point, Metric]] = field(default_factory=dict)
    inputs: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    model_inputs: set[str] = field(default_factory=set)
    outputs: set[ModelOutput] = field(default_factory=set)


class Model:
    """A backend store as the contract describes it; each method bears its name there."""

    def __init__(self) -> None:
        self.experiments: dict[str, Experiment] = {}
        self.known: dict[str, KnownRun] = {}
        self.datasets: dict[tuple[str, str, str], Dataset] = {}

    def create_experiment(self, experiment: Experiment) -> Experiment:
        old = self.experiments.get(experiment.id)
        if old is None:
            if self.holder(experiment, of=experiment.lifecycle_stage):
                raise Refused("AlreadyExists name")
            self.experiments[experiment.id] = experiment
            return experiment
        if (old.name, old.creation_time) == (experiment.name, experiment.creation_time):
            return old
        ways = ["AlreadyExists id"]
        if self.holder(experiment, of=experiment.lifecycle_stage):
            ways.append("AlreadyExists name")
        raise Refused(*ways)

    def holder(self, experiment: Experiment, of: LifecycleStage = ACTIVE) -> Experiment | None:
        """Return the living experiment that keeps this one from being `of` a stage."""
        for other in self.experiments.values():
            rivals = other.id != experiment.id and other.name == experiment.name
            if rivals and other.lifecycle_stage == ACTIVE == of:
                return other
        return None

    def get_experiment(self, experiment_id: str) -> Experiment:
        if experiment_id not in self.experiments:
            raise Refused("NotFound")
        return self.experiments[experiment_id]

    def find_experiment(self, name: str) -> Experiment:
        for experiment in self.experiments.values():
            if experiment.name == name and experiment.lifecycle_stage == ACTIVE:
                return experiment
        raise Refused("NotFound")

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        old = self.get_experiment(experiment_id)
        stage = given(changes.lifecycle_stage, old.lifecycle_stage)
        edits = not isinstance(changes.name, UnsetType) or changes.tags or changes.deleted_tags
        if edits and old.lifecycle_stage == DELETED == stage:
            raise Refused("InvalidState")
        new = replace(
            old,
            name=given(changes.name, old.name),
            lifecycle_stage=stage,
            last_update_time=given(changes.last_update_time, old.last_update_time),
        )
        if self.holder(new, of=stage):
            raise Refused("AlreadyExists name")
        tags, applied = edited(old.tags, changes.tags, changes.deleted_tags)
        self.experiments[experiment_id] = replace(new, tags=tags)
        return applied

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None
    ) -> list[Experiment]:
        found = [e for e in self.experiments.values() if stage in {None, e.lifecycle_stage}]
        found.sort(key=lambda e: (-e.creation_time, e.id))
        return [e for e in found if after is None or is_later((e.creation_time, e.id), after)]

    def create_run(self, run: Run) -> Run:
        home = self.experiments.get(run.experiment_id)
        ways = ["NotFound"] if home is None else []
        ways += ["InvalidState"] if home and home.lifecycle_stage == DELETED else []
        if run.id in self.known:
            old = self.get_run(run.id)
            if created_as(old) == created_as(run):
                return old
            ways.append("AlreadyExists id")
        if ways:
            raise Refused(*ways)
        self.known[run.id] = KnownRun(replace(run, tags={}), dict(run.tags))
        return run

    def get_run(self, run_id: str) -> Run:
        run = self.run(run_id)
        home = run.fields.experiment_id
        return replace(
            run.fields,
            lifecycle_stage=self.stage(run.fields),
            params=dict(run.params),
            tags=dict(run.tags),
            metrics={
                key: replace(points[max(points)], links=()) for key, points in run.points.items()
            },
            inputs=tuple(
                DatasetInput(self.datasets[home, name, digest], dict(tags))
                for (name, digest), tags in run.inputs.items()
            ),
            model_inputs=tuple(run.model_inputs),
            outputs=tuple(run.outputs),
        )

    def run(self, run_id: str) -> KnownRun:
        if run_id not in self.known:
            raise Refused("NotFound")
        return self.known[run_id]

    def stage(self, run: Run) -> LifecycleStage:
        """A run is active while its own stage and its experiment's both are."""
        home = self.experiments[run.experiment_id]
        return ACTIVE if run.lifecycle_stage == home.lifecycle_stage == ACTIVE else DELETED

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        run = self.run(run_id)
        new = replace(
            run.fields,
            status=given(changes.status, run.fields.status),
            end_time=given(changes.end_time, run.fields.end_time),
            deleted_time=given(changes.deleted_time, run.fields.deleted_time),
            lifecycle_stage=given(changes.lifecycle_stage, run.fields.lifecycle_stage),
        )
        edits = changes.tags or not (changes.status is UNSET and changes.end_time is UNSET)
        if edits and self.stage(run.fields) == DELETED == self.stage(new):
            raise Refused("InvalidState")
        run.fields = new
        run.tags.update(changes.tags)

    def scan_runs(
        self, experiment_id: str, stage: LifecycleStage | None, after: RunCursor | None
    ) -> list[Run]:
        found = [self.get_run(run_id) for run_id in self.known]
        found = [run for run in found if run.experiment_id == experiment_id]
        found = [run for run in found if stage in {None, run.lifecycle_stage}]
        found.sort(key=lambda run: (-run.start_time, run.id))
        return [r for r in found if after is None or is_later((r.start_time, r.id), after)]

    def search_runs(self, query: RunQuery, after: SearchCursor | None) -> list[Run]:
        runs = [r for e in set(query.experiment_ids) for r in self.scan_runs(e, query.stage, None)]
        return rows_after(search_order(runs, query), query.order_by, after)

    def log(self, run_id: str, batch: Batch) -> Applied:
        run = self.run(run_id)
        ways = ["InvalidState"] if self.stage(run.fields) == DELETED else []
        if any(run.params.get(key, value) != value for key, value in batch.params.items()):
            ways.append("Conflict")
        if ways:
            raise Refused(*ways)
        run.params.update(batch.params)
        for point in batch.metrics:
            add_point(run.points.setdefault(point.key, {}), point)
        for used in batch.inputs:
            known = (used.dataset.name, used.dataset.digest)
            self.datasets.setdefault((run.fields.experiment_id, *known), used.dataset)
            run.inputs.setdefault(known, {}).update(used.tags)
        run.model_inputs.update(batch.model_inputs)
        run.outputs.update(batch.outputs)
        run.tags, applied = edited(run.tags, batch.tags, batch.deleted_tags)
        return applied

    def metric_history(self, run_id: str, key: str, after: MetricCursor | None) -> list[Metric]:
        points = self.run(run_id).points.get(key, {})
        start = None if after is None else (after[0], after[1], number(after[2]))
        return [points[point] for point in sorted(points) if start is None or point > start]

    def page(self, limit: int, name: str, *args: Any) -> Page[Any, Any]:
        """Return the first rows of what the method `name` returns, as a store's page."""
        rows = getattr(self, name)(*args)
        if len(rows) <= limit:
            return Page(rows)
        last = rows[limit - 1]
        cursors: dict[str, Callable[[], tuple[Any, ...]]] = {
            "scan_experiments": lambda: (last.creation_time, last.id),
            "scan_runs": lambda: (last.start_time, last.id),
            "metric_history": lambda: (last.step, last.timestamp, last.value),
            "search_runs": lambda: cursor_of(last, args[0].order_by),
        }
        return Page(rows[:limit], cursors[name]())

    def purge_run(self, run_id: str) -> None:
        if self.stage(self.run(run_id).fields) == ACTIVE:
            raise Refused("InvalidState")
        del self.known[run_id]

    def purge_experiment(self, experiment_id: str) -> None:
        if self.get_experiment(experiment_id).lifecycle_stage == ACTIVE:
            raise Refused("InvalidState")
        del self.experiments[experiment_id]
        self.known = {
            i: run for i, run in self.known.items() if run.fields.experiment_id != experiment_id
        }
        self.datasets = {i: d for i, d in self.datasets.items() if i[0] != experiment_id}


def given(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new


def edited(
    old: Mapping[str, str], new: Mapping[str, str], deleted: Sequence[str]
) -> tuple[dict[str, str], Applied]:
    """Return the tags after an edit, and those to be deleted that were not there."""
    kept = {key: value for key, value in old.items() if key not in deleted}
    return {**kept, **new}, Applied(tuple(key for key in deleted if key not in old))


def created_as(run: Run) -> tuple[str, int, str, str]:
    return run.experiment_id, run.start_time, run.user_id, run.name


def is_later(row: tuple[int, str], after: tuple[int, str]) -> bool:
    """Tell if a row comes after another: newest first, then by id."""
    return row[0] < after[0] or (row[0] == after[0] and row[1] > after[1])


def add_point(points: dict[Point, Metric], point: Metric) -> None:
    place = (point.step, point.timestamp, number(point.value))
    links: set[MetricLink] = set(point.links)
    if place in points:
        links |= set(points[place].links)
    points[place] = replace(point, links=tuple(sorted(links)))
