"""Experiments and runs in memory, by the rules of the contract; their points are kept elsewhere.

No method changes anything before it has raised what it may raise.  The caller holds a lock.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET, Struct, field
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, Conflict, InvalidState, NotFound
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
    ModelOutput,
    Page,
    Run,
    RunChanges,
    RunCursor,
    order_image,
)
from trackstore.registered import LoggedModel
from trackstore_backends.paging import given, page
from trackstore_backends.registry_state import RegisteredRow, RegistryState

PointId = tuple[int, int, int]
"""(step, timestamp, order image of the value): what a point is within its key, and its order."""

About = tuple[str, str, str, str]
"""(model id, key, dataset name, dataset digest): what a point is about."""

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class RunRow(Struct):
    """A run as stored: `fields` has no data, and its stage is the run's own."""

    fields: Run
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    latest: dict[str, Metric] = field(default_factory=dict)
    linked: dict[About, Metric] = field(default_factory=dict)
    """The latest point about each logged model."""
    inputs: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    model_inputs: set[str] = field(default_factory=set)
    outputs: set[ModelOutput] = field(default_factory=set)


class Rows(Struct):
    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: dict[str, RunRow] = field(default_factory=dict)
    datasets: dict[tuple[str, str, str], Dataset] = field(default_factory=dict)
    models: dict[str, LoggedModel] = field(default_factory=dict)
    """Without metrics: those are the runs'."""
    registered: dict[str, RegisteredRow] = field(default_factory=dict)


class State:
    """The rows, and what finds them: the names of the living, and each experiment's runs."""

    def __init__(self, rows: Rows | None = None) -> None:
        self.rows = rows or Rows()
        self.registry = RegistryState(self.rows.registered)
        self._named = {
            each.name: each.id
            for each in self.rows.experiments.values()
            if each.lifecycle_stage is ACTIVE
        }
        self._runs_of: dict[str, list[tuple[int, str]]] = {}
        for row in self.rows.runs.values():
            self._runs_of.setdefault(row.fields.experiment_id, []).append(_place(row.fields))
        for places in self._runs_of.values():
            places.sort()
        self._linked: dict[str, set[str]] = {}
        for row in self.rows.runs.values():
            self._note_links(row)

    def create_experiment(self, experiment: Experiment) -> Experiment:
        known = self.rows.experiments.get(experiment.id)
        if known is not None:
            if (known.name, known.creation_time) == (experiment.name, experiment.creation_time):
                return _copied(known)
            raise AlreadyExists(f"experiment id {experiment.id} is taken", field="id")
        self._check_name_is_free(experiment)
        self._keep_experiment(experiment)
        return experiment

    def get_experiment(self, experiment_id: str) -> Experiment:
        return _copied(self._experiment(experiment_id))

    def find_experiment(self, name: str) -> Experiment:
        if name not in self._named:
            raise NotFound(f"no living experiment is named {name[:100]!r}")
        return self.get_experiment(self._named[name])

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        old = self._experiment(experiment_id)
        tags = {**old.tags, **changes.tags}
        absent = tuple(key for key in changes.deleted_tags if tags.pop(key, None) is None)
        new = replace(
            old,
            name=given(changes.name, old.name),
            lifecycle_stage=given(changes.lifecycle_stage, old.lifecycle_stage),
            last_update_time=given(changes.last_update_time, old.last_update_time),
            tags=tags,
        )
        edits = changes.name is not UNSET or changes.tags or changes.deleted_tags
        if edits and DELETED is old.lifecycle_stage is new.lifecycle_stage:
            raise InvalidState(f"experiment {experiment_id} is deleted")
        self._check_name_is_free(new)
        self._keep_experiment(new)
        return Applied(absent)

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        found = [
            each for each in self.rows.experiments.values() if stage in {None, each.lifecycle_stage}
        ]
        start = None if after is None else (-after[0], after[1])
        rows, more = page(found, lambda each: (-each.creation_time, each.id), start, limit)
        last = (rows[-1].creation_time, rows[-1].id) if more else None
        return Page([_copied(row) for row in rows], last)

    def create_run(self, run: Run) -> Run:
        if run.id in self.rows.runs:
            known = self.get_run(run.id)
            if _creation_fields(known) == _creation_fields(run):
                return known
            raise AlreadyExists(f"run id {run.id} is taken", field="id")
        if self._experiment(run.experiment_id).lifecycle_stage is DELETED:
            raise InvalidState(f"experiment {run.experiment_id} is deleted")
        self.keep_run(RunRow(replace(run, tags={}), tags=dict(run.tags)))
        return run

    def get_run(self, run_id: str) -> Run:
        return self._whole(self.run(run_id))

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        row = self.run(run_id)
        new = replace(
            row.fields,
            status=given(changes.status, row.fields.status),
            end_time=given(changes.end_time, row.fields.end_time),
            deleted_time=given(changes.deleted_time, row.fields.deleted_time),
            lifecycle_stage=given(changes.lifecycle_stage, row.fields.lifecycle_stage),
        )
        edits = changes.tags or not (changes.status is changes.end_time is UNSET)
        if edits and DELETED is self._stage(row.fields) is self._stage(new):
            raise InvalidState(f"run {run_id} is deleted")
        row.fields = new
        row.tags.update(changes.tags)

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        places = self._runs_of.get(experiment_id, [])
        begin = 0 if after is None else bisect_right(places, (-after[0], after[1]))
        rows: list[RunRow] = []
        for at in range(begin, len(places)):
            row = self.rows.runs[places[at][1]]
            if stage in {None, self._stage(row.fields)}:
                rows.append(row)
                if len(rows) > limit:
                    break
        found = [self._whole(row) for row in rows[:limit]]
        return Page(found, (found[-1].start_time, found[-1].id) if len(rows) > limit else None)

    def log(self, run_id: str, batch: Batch) -> Applied:
        row = self.run(run_id)
        if self._stage(row.fields) is DELETED:
            raise InvalidState(f"run {run_id} is deleted")
        for key, value in batch.params.items():
            if row.params.get(key, value) != value:
                raise Conflict(f"param {key[:100]!r} of run {run_id} already has another value")
        row.params.update(batch.params)
        _keep_latest(row.latest, batch.metrics)
        if any(point.links for point in batch.metrics):
            _keep_linked(row.linked, batch.metrics)
            self._note_links(row)
        for read in batch.inputs:
            self._add_input(row, read)
        row.model_inputs.update(batch.model_inputs)
        row.outputs.update(batch.outputs)
        row.tags.update(batch.tags)
        absent = [key for key in batch.deleted_tags if row.tags.pop(key, None) is None]
        return Applied(tuple(absent))

    def purge_run(self, run_id: str) -> list[str]:
        """Erase a deleted run and return the runs that are gone, of which it is the only one."""
        fields = self.run(run_id).fields
        if self._stage(fields) is ACTIVE:
            raise InvalidState(f"run {run_id} is active: delete it before it is purged")
        del self.rows.runs[run_id]
        places = self._runs_of[fields.experiment_id]
        del places[bisect_left(places, _place(fields))]
        return [run_id]

    def purge_experiment(self, experiment_id: str) -> list[str]:
        """Erase a deleted experiment and return the runs that are gone."""
        if self._experiment(experiment_id).lifecycle_stage is ACTIVE:
            raise InvalidState(
                f"experiment {experiment_id} is active: delete it before it is purged"
            )
        del self.rows.experiments[experiment_id]
        gone = [run_id for _, run_id in self._runs_of.pop(experiment_id, [])]
        for run_id in gone:
            del self.rows.runs[run_id]
        for dataset in [each for each in self.rows.datasets if each[0] == experiment_id]:
            del self.rows.datasets[dataset]
        for model in [*self.rows.models.values()]:
            if model.experiment_id == experiment_id:
                del self.rows.models[model.id]
        return gone

    def run(self, run_id: str) -> RunRow:
        try:
            return self.rows.runs[run_id]
        except KeyError:
            raise NotFound(f"there is no run {run_id[:100]!r}") from None

    def keep_experiment(self, experiment: Experiment, datasets: Iterable[Dataset]) -> None:
        """Store an experiment that is not there yet, in whatever stage it is."""
        self._keep_experiment(experiment)
        for dataset in datasets:
            self.rows.datasets[experiment.id, dataset.name, dataset.digest] = dataset

    def keep_run(self, row: RunRow) -> None:
        """Store a run that is not there yet."""
        self.rows.runs[row.fields.id] = row
        self._note_links(row)
        insort(self._runs_of.setdefault(row.fields.experiment_id, []), _place(row.fields))

    def linked_with(self, model_id: str) -> Iterator[tuple[str, str, str, str, Metric]]:
        """Yield (run id, key, dataset name, dataset digest, latest point) of a logged model."""
        for run_id in self._linked.get(model_id, ()):
            row = self.rows.runs.get(run_id)
            for (about, key, name, digest), point in row.linked.items() if row else ():
                if about == model_id:
                    yield run_id, key, name, digest, point

    def _note_links(self, row: RunRow) -> None:
        """Remember which models a run's points are about; one that is purged is passed over."""
        for model_id, *_ in row.linked:
            self._linked.setdefault(model_id, set()).add(row.fields.id)

    def _experiment(self, experiment_id: str) -> Experiment:
        try:
            return self.rows.experiments[experiment_id]
        except KeyError:
            raise NotFound(f"there is no experiment {experiment_id[:100]!r}") from None

    def _check_name_is_free(self, wanted: Experiment) -> None:
        holder = self._named.get(wanted.name, wanted.id)
        if wanted.lifecycle_stage is ACTIVE and holder != wanted.id:
            raise AlreadyExists(f"a living experiment is named {wanted.name[:100]!r}")

    def _keep_experiment(self, new: Experiment) -> None:
        old = self.rows.experiments.get(new.id)
        if old is not None and old.lifecycle_stage is ACTIVE:
            del self._named[old.name]
        if new.lifecycle_stage is ACTIVE:
            self._named[new.name] = new.id
        self.rows.experiments[new.id] = _copied(new)

    def _stage(self, run: Run) -> LifecycleStage:
        home = self.rows.experiments[run.experiment_id]
        return DELETED if DELETED in {run.lifecycle_stage, home.lifecycle_stage} else ACTIVE

    def _whole(self, row: RunRow) -> Run:
        fields = row.fields
        return replace(
            fields,
            lifecycle_stage=self._stage(fields),
            params=dict(row.params),
            tags=dict(row.tags),
            metrics=dict(row.latest),
            inputs=tuple(
                DatasetInput(self.rows.datasets[fields.experiment_id, *dataset], dict(tags))
                for dataset, tags in row.inputs.items()
            ),
            model_inputs=tuple(row.model_inputs),
            outputs=tuple(row.outputs),
        )

    def _add_input(self, row: RunRow, read: DatasetInput) -> None:
        known = (read.dataset.name, read.dataset.digest)
        self.rows.datasets.setdefault((row.fields.experiment_id, *known), read.dataset)
        row.inputs.setdefault(known, {}).update(read.tags)


def point_id(point: Metric) -> PointId:
    return point.step, point.timestamp, order_image(point.value)


def _keep_latest(latest: dict[str, Metric], points: Sequence[Metric]) -> None:
    for point in points:
        known = latest.get(point.key)
        if known is None or point_id(known) < point_id(point):
            # as a store returns it: one NaN, no -0.0, and without links
            value = point.value + 0.0
            latest[point.key] = Metric(point.key, value, point.timestamp, point.step)


def _keep_linked(linked: dict[About, Metric], points: Sequence[Metric]) -> None:
    for point in points:
        plain = Metric(point.key, point.value + 0.0, point.timestamp, point.step)
        for link in point.links:
            about = link.model_id, point.key, link.dataset_name, link.dataset_digest
            if link.model_id and (about not in linked or point_id(linked[about]) < point_id(point)):
                linked[about] = plain


def _copied(experiment: Experiment) -> Experiment:
    return replace(experiment, tags=dict(experiment.tags))


def _creation_fields(run: Run) -> tuple[str, int, str, str]:
    return run.experiment_id, run.start_time, run.user_id, run.name


def _place(run: Run) -> tuple[int, str]:
    """Return where a run stands in its experiment: newest first, then by id."""
    return -run.start_time, run.id
