"""Mutants that store something else than what they were given."""

from math import inf, isfinite, isnan

from msgspec import UNSET
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, Conflict, InvalidState, NotFound
from trackstore.model import (
    Applied,
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    Run,
    RunChanges,
)
from trackstore_conformance.mutants.wrapped import HIDDEN, Mutant, whole_history

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
LARGEST = 1.7976931348623157e308


class ChangesPoints(Mutant):
    """Stores `changed(point)` for every point."""

    def changed(self, point: Metric) -> Metric:
        raise NotImplementedError

    def log(self, run_id: str, batch: Batch) -> Applied:
        points = [self.changed(point) for point in batch.metrics]
        return super().log(run_id, replace(batch, metrics=points))


class NanAsZero(ChangesPoints):
    """Stores 0 for NaN."""

    killed_by = "B-MET-04"

    def changed(self, point: Metric) -> Metric:
        return replace(point, value=0.0) if isnan(point.value) else point


class InfinityClamped(ChangesPoints):
    """Stores the largest double for infinity, as MLflow does."""

    killed_by = "B-MET-04"

    def changed(self, point: Metric) -> Metric:
        if isfinite(point.value) or isnan(point.value):
            return point
        return replace(point, value=LARGEST if point.value == inf else -LARGEST)


class StepOf32Bits(ChangesPoints):
    """Lets a step wrap around at 32 bits."""

    killed_by = "B-MET-05"

    def changed(self, point: Metric) -> Metric:
        return replace(point, step=(point.step + 2**31) % 2**32 - 2**31)


class LinksLost(ChangesPoints):
    """Stores a point without its links."""

    killed_by = "B-MET-08"

    def changed(self, point: Metric) -> Metric:
        return replace(point, links=())


class OnePointAStep(Mutant):
    """Keeps the first point of a step, and drops the others."""

    killed_by = "B-MET-01"
    near = ("B-MET-04", "B-RUN-05", "B-PAR-02")

    def log(self, run_id: str, batch: Batch) -> Applied:
        kept: dict[tuple[str, int], Metric] = {}
        for point in batch.metrics:
            known = {each.step for each in whole_history(self.inner, run_id, point.key)}
            if point.step not in known:
                kept.setdefault((point.key, point.step), point)
        return super().log(run_id, replace(batch, metrics=list(kept.values())))


class ParamsOverwritten(Mutant):
    """Keeps params as tags, so that the last value wins."""

    killed_by = "B-PAR-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        hidden = {HIDDEN + key: value for key, value in batch.params.items()}
        return super().log(run_id, replace(batch, params={}, tags={**batch.tags, **hidden}))

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        hidden = {key[1:]: value for key, value in run.tags.items() if key.startswith(HIDDEN)}
        tags = {key: value for key, value in run.tags.items() if not key.startswith(HIDDEN)}
        return replace(run, params=hidden, tags=tags)


class ConflictSwallowed(Mutant):
    """Says nothing of a param that has another value."""

    killed_by = "B-PAR-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        try:
            return super().log(run_id, batch)
        except Conflict:
            return Applied()


class ItemByItem(Mutant):
    """Applies a batch in many transactions, so that a late refusal leaves the early ones."""

    killed_by = "B-BAT-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        for point in batch.metrics:
            super().log(run_id, Batch(metrics=[point]))
        for key, value in batch.params.items():
            super().log(run_id, Batch(params={key: value}))
        return super().log(run_id, replace(batch, metrics=(), params={}))


class TagsInASecondTransaction(Mutant):
    """Refuses a batch whole, but lets readers see its first part before the second."""

    killed_by = "B-BAT-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        super().log(run_id, replace(batch, tags={}, deleted_tags=()))
        return super().log(run_id, Batch(tags=batch.tags, deleted_tags=batch.deleted_tags))


class CheckThenAct(Mutant):
    """Looks whether a name is free, and takes it a moment later."""

    killed_by = "B-EXP-02"

    def create_experiment(self, experiment: Experiment) -> Experiment:
        self.check_free(experiment.name, experiment.id)
        return self.shown(super().create_experiment(self.hidden(experiment)))

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        name = self.get_experiment(experiment_id).name if changes.name is UNSET else changes.name
        self.check_free(str(name), experiment_id)
        if changes.name is not UNSET:
            changes = replace(changes, name=f"{name}{HIDDEN}{experiment_id}")
        return super().update_experiment(experiment_id, changes)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self.shown(super().get_experiment(experiment_id))

    def find_experiment(self, name: str) -> Experiment:
        for found in self.inner.scan_experiments(ACTIVE, None, 10_000).items:
            if self.shown(found).name == name:
                return self.shown(found)
        raise NotFound("no such name")

    def check_free(self, name: str, experiment_id: str) -> None:
        try:
            holder = self.find_experiment(name)
        except NotFound:
            return
        if holder.id != experiment_id:
            raise AlreadyExists("the name is taken", field="name")

    def hidden(self, experiment: Experiment) -> Experiment:
        return replace(experiment, name=f"{experiment.name}{HIDDEN}{experiment.id}")

    def shown(self, experiment: Experiment) -> Experiment:
        return replace(experiment, name=experiment.name.partition(HIDDEN)[0])


class NamesFolded(Mutant):
    """Takes names that differ in case for one."""

    killed_by = "B-EXP-03"

    def create_experiment(self, experiment: Experiment) -> Experiment:
        wanted = experiment.name.casefold()
        for other in self.inner.scan_experiments(ACTIVE, None, 10_000).items:
            if other.name.casefold() == wanted and other.id != experiment.id:
                raise AlreadyExists("the name is taken", field="name")
        return super().create_experiment(experiment)


class TagsLostOnRename(Mutant):
    """Loses an experiment's tags when it is renamed."""

    killed_by = "B-EXP-07"
    near = ("B-EXP-02", "B-EXP-09", "B-RUN-04")

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        if changes.name is not UNSET:
            tags = self.inner.get_experiment(experiment_id).tags
            changes = replace(changes, deleted_tags=[*changes.deleted_tags, *tags])
        return super().update_experiment(experiment_id, changes)


class RunsRestoredWithTheirExperiment(Mutant):
    """Restores all runs of an experiment that is restored."""

    killed_by = "B-RUN-03"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        applied = super().update_experiment(experiment_id, changes)
        if changes.lifecycle_stage == ACTIVE:
            for run in self.inner.scan_runs(experiment_id, DELETED, None, 10_000).items:
                self.inner.update_run(run.id, RunChanges(lifecycle_stage=ACTIVE))
        return applied


class TagsStripped(Mutant):
    """Takes the blanks off the end of a tag."""

    killed_by = "B-TXT-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        tags = {key: value.rstrip() for key, value in batch.tags.items()}
        return super().log(run_id, replace(batch, tags=tags))

    def create_run(self, run: Run) -> Run:
        tags = {key: value.rstrip() for key, value in run.tags.items()}
        return super().create_run(replace(run, tags=tags))


class ValuesCut(Mutant):
    """Keeps 6,000 code points of a param, as MLflow does."""

    killed_by = "B-TXT-01"
    near = ("B-TAG-01", "B-MET-04", "B-EXP-01")

    def log(self, run_id: str, batch: Batch) -> Applied:
        params = {key: value[:6_000] for key, value in batch.params.items()}
        return super().log(run_id, replace(batch, params=params))


class FirstTagStays(Mutant):
    """Keeps the first value of a tag."""

    killed_by = "B-TAG-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).tags
        tags = {key: value for key, value in batch.tags.items() if key not in known}
        return super().log(run_id, replace(batch, tags=tags))


class DeletedRunsTakeWrites(Mutant):
    """Logs into a run that is deleted."""

    killed_by = "B-RUN-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        try:
            return super().log(run_id, batch)
        except InvalidState:
            self.inner.update_run(run_id, RunChanges(lifecycle_stage=ACTIVE))
            applied = super().log(run_id, batch)
            self.inner.update_run(run_id, RunChanges(lifecycle_stage=DELETED))
            return applied


class PurgeForgotten(Mutant):
    """Keeps a deleted run that is to be erased."""

    killed_by = "B-RUN-07"

    def purge_run(self, run_id: str) -> None:
        if self.inner.get_run(run_id).lifecycle_stage == ACTIVE:
            super().purge_run(run_id)


class RepeatedCreationRefused(Mutant):
    """Refuses to create a run a second time."""

    killed_by = "B-RUN-04"
    near = ("B-RUN-03", "B-RUN-05", "B-EXP-09")

    def create_run(self, run: Run) -> Run:
        try:
            self.inner.get_run(run.id)
        except NotFound:
            return super().create_run(run)
        raise AlreadyExists("the id is taken", field="id")


class TagsNeverDeleted(Mutant):
    """Says that it deleted a tag, and keeps it."""

    killed_by = "B-TAG-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).tags
        super().log(run_id, replace(batch, deleted_tags=()))
        return Applied(tuple(key for key in batch.deleted_tags if key not in known))


WRITING: tuple[type[Mutant], ...] = (
    NanAsZero,
    InfinityClamped,
    StepOf32Bits,
    LinksLost,
    OnePointAStep,
    ParamsOverwritten,
    ConflictSwallowed,
    ItemByItem,
    TagsInASecondTransaction,
    CheckThenAct,
    NamesFolded,
    TagsLostOnRename,
    RunsRestoredWithTheirExperiment,
    TagsStripped,
    ValuesCut,
    FirstTagStays,
    DeletedRunsTakeWrites,
    PurgeForgotten,
    RepeatedCreationRefused,
    TagsNeverDeleted,
)
