"""The store: each method checks its rules, and then changes the state."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from msgspec import UNSET
from msgspec.structs import asdict, replace

from trackstore import model as m
from trackstore.errors import AlreadyExists, Conflict, InvalidRequest, InvalidState, NotFound
from trackstore.stores import BackendStore, Guarantees
from trackstore_journal.journal import Journaled, reads, writes

T = TypeVar("T")
Stage = m.LifecycleStage | None
ACTIVE, DELETED = m.LifecycleStage.ACTIVE, m.LifecycleStage.DELETED


class JournalStore(Journaled, BackendStore):
    guarantees: ClassVar = Guarantees(durability="power-loss")

    @classmethod
    def from_url(cls, url: str) -> Self:
        if not (path := url.removeprefix("journal://")).startswith("/"):
            raise InvalidRequest("expected journal:///path/to/runs.jsonl")
        return cls(Path(path))

    def _living(self, name: str) -> m.Experiment | None:
        named = (each for each in self.state.experiments.values() if each.name == name)
        return next((each for each in named if each.lifecycle_stage is ACTIVE), None)

    def _keep(self, wanted: m.Experiment) -> None:
        holder = self._living(wanted.name)
        if wanted.lifecycle_stage is ACTIVE and holder and holder.id != wanted.id:
            raise AlreadyExists(f"an experiment is named {wanted.name[:100]!r}", field="name")
        self.state.experiments[wanted.id] = wanted

    @writes
    def create_experiment(self, experiment: m.Experiment) -> m.Experiment:
        old = self.state.experiments.get(experiment.id)
        if old is None:
            self._keep(experiment)
        elif (old.name, old.creation_time) != (experiment.name, experiment.creation_time):
            raise AlreadyExists(f"experiment {experiment.id} exists", field="id")
        return old or experiment

    @reads
    def get_experiment(self, experiment_id: str) -> m.Experiment:
        return known(self.state.experiments, experiment_id)

    @reads
    def find_experiment(self, name: str) -> m.Experiment:
        if (found := self._living(name)) is None:
            raise NotFound(f"no experiment is named {name[:100]!r}")
        return found

    @writes
    def update_experiment(self, experiment_id: str, changes: m.ExperimentChanges) -> m.Applied:
        old = known(self.state.experiments, experiment_id)
        tags, applied = edited(old, changes)
        fields = given(changes, "name", "lifecycle_stage", "last_update_time")
        new = replace(old, tags=tags, **fields)
        edits = "name" in fields or changes.tags or changes.deleted_tags
        if edits and old.lifecycle_stage is new.lifecycle_stage is DELETED:
            raise InvalidState(f"experiment {experiment_id} is deleted")
        self._keep(new)
        return applied

    @reads
    def scan_experiments(self, stage: Stage, after: Any, limit: int) -> m.Page:
        found = [e for e in self.state.experiments.values() if stage in {None, e.lifecycle_stage}]
        start = after and (-after[0], after[1])
        rows, more = page(found, lambda each: (-each.creation_time, each.id), start, limit)
        return m.Page(rows, (rows[-1].creation_time, rows[-1].id) if more else None)

    @writes
    def purge_experiment(self, experiment_id: str) -> None:
        if known(self.state.experiments, experiment_id).lifecycle_stage is ACTIVE:
            raise InvalidState(f"experiment {experiment_id} is active")
        del self.state.experiments[experiment_id]
        self.state.datasets.pop(experiment_id, None)
        for run in [*self.state.runs.values()]:
            if run.experiment_id == experiment_id:
                del self.state.runs[run.id], self.state.points[run.id]

    def _run(self, run_id: str) -> m.Run:
        return replace(run := known(self.state.runs, run_id), lifecycle_stage=self._stage(run))

    def _stage(self, run: m.Run) -> m.LifecycleStage:
        home = self.state.experiments[run.experiment_id]
        return DELETED if DELETED in {run.lifecycle_stage, home.lifecycle_stage} else ACTIVE

    @writes
    def create_run(self, run: m.Run) -> m.Run:
        old = self.state.runs.get(run.id)
        fields = ("experiment_id", "start_time", "user_id", "name")
        if old is not None and any(getattr(old, f) != getattr(run, f) for f in fields):
            raise AlreadyExists(f"run {run.id} exists", field="id")
        if old is None:
            if known(self.state.experiments, run.experiment_id).lifecycle_stage is DELETED:
                raise InvalidState(f"experiment {run.experiment_id} is deleted")
            self.state.runs[run.id], self.state.points[run.id] = run, {}
        return self._run(run.id)

    @reads
    def get_run(self, run_id: str) -> m.Run:
        return self._run(run_id)

    @writes
    def update_run(self, run_id: str, changes: m.RunChanges) -> None:
        old = known(self.state.runs, run_id)
        fields = given(changes, "status", "end_time", "lifecycle_stage", "deleted_time")
        new = replace(old, tags={**old.tags, **changes.tags}, **fields)
        edits = changes.tags or {"status", "end_time"} & {*fields}
        if edits and self._stage(old) is self._stage(new) is DELETED:
            raise InvalidState(f"run {run_id} is deleted")
        self.state.runs[run_id] = new

    @reads
    def scan_runs(self, experiment_id: str, stage: Stage, after: Any, limit: int) -> m.Page:
        ids = [run.id for run in self.state.runs.values() if run.experiment_id == experiment_id]
        found = [run for run in map(self._run, ids) if stage in {None, run.lifecycle_stage}]
        start = after and (-after[0], after[1])
        rows, more = page(found, lambda run: (-run.start_time, run.id), start, limit)
        return m.Page(rows, (rows[-1].start_time, rows[-1].id) if more else None)

    @writes
    def purge_run(self, run_id: str) -> None:
        if self._stage(known(self.state.runs, run_id)) is ACTIVE:
            raise InvalidState(f"run {run_id} is active")
        del self.state.runs[run_id], self.state.points[run_id]

    @writes
    def log(self, run_id: str, batch: m.Batch) -> m.Applied:
        run = known(self.state.runs, run_id)
        if self._stage(run) is DELETED:
            raise InvalidState(f"run {run_id} is deleted")
        for key, value in batch.params.items():
            if run.params.get(key, value) != value:
                raise Conflict(f"param {key!r} of run {run_id} has another value")
        points = self.state.points[run_id]
        for point in batch.metrics:
            add_point(points.setdefault(point.key, []), point)
        latest = {point.key: replace(points[point.key][-1], links=()) for point in batch.metrics}
        tags, applied = edited(run, batch)
        self.state.runs[run_id] = replace(
            run,
            tags=tags,
            params={**run.params, **batch.params},
            metrics={**run.metrics, **latest},
            inputs=merged(run, batch, self.state.datasets.setdefault(run.experiment_id, {})),
            model_inputs=tuple({*run.model_inputs, *batch.model_inputs}),
            outputs=tuple({*run.outputs, *batch.outputs}),
        )
        return applied

    @reads
    def metric_history(self, run_id: str, key: str, after: Any, limit: int) -> m.Page:
        start = after and (after[0], after[1], m.order_image(after[2]))
        rows, more = page(known(self.state.points, run_id).get(key, []), place, start, limit)
        last = rows[-1] if more else None
        return m.Page(rows, last and (last.step, last.timestamp, last.value))


def known(rows: dict[str, T], ident: str) -> T:
    if ident not in rows:
        raise NotFound(f"there is no {ident[:100]!r}")
    return rows[ident]


def given(changes: Any, *names: str) -> dict[str, Any]:
    return {k: v for k, v in asdict(changes).items() if k in names and v is not UNSET}


def edited(old: Any, changes: Any) -> tuple[dict[str, str], m.Applied]:
    tags = {**old.tags, **changes.tags}
    absent = [key for key in changes.deleted_tags if tags.pop(key, None) is None]
    return tags, m.Applied(tuple(absent))


def place(point: m.Metric) -> tuple[int, int, int]:
    return point.step, point.timestamp, m.order_image(point.value)


def add_point(points: list[m.Metric], point: m.Metric) -> None:
    at = bisect_left(points, place(point), key=place)
    if at == len(points) or place(points[at]) != place(point):
        points.insert(at, point)
    links = {*points[at].links, *point.links}
    points[at] = replace(points[at], links=tuple(sorted(links)))


def merged(run: m.Run, batch: m.Batch, known: dict[str, m.Dataset]) -> tuple[m.DatasetInput, ...]:
    """Return all inputs of the run, each dataset as it was when the experiment first knew it."""
    found: dict[str, m.DatasetInput] = {}
    for used in (*run.inputs, *batch.inputs):
        name = f"{used.dataset.name}\0{used.dataset.digest}"
        dataset = known.setdefault(name, used.dataset)
        found[name] = m.DatasetInput(dataset, {**found.get(name, used).tags, **used.tags})
    return tuple(found.values())


def page(rows: Iterable[T], key: Any, after: Any, limit: int) -> tuple[list[T], bool]:
    """Return the `limit` rows that follow `after` in the order of `key`, and if more do."""
    ranked = sorted(rows, key=key)
    begin = bisect_right(ranked, after, key=key) if after else 0
    return ranked[begin : begin + limit], len(ranked) > begin + limit
