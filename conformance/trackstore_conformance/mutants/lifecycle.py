"""Mutants of experiments and runs: how they are made, found, changed, deleted and erased."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import UNSET
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, InvalidState, NotFound
from trackstore.model import (
    Applied,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Page,
    Run,
    RunChanges,
    RunCursor,
    RunStatus,
)
from trackstore_conformance.mutants.wrapped import Mutant

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
ALL = 10_000


class NamesStayTaken(Mutant):
    """Keeps the name of a deleted experiment, as MLflow does."""

    killed_by = "B-EXP-06"

    def create_experiment(self, experiment: Experiment) -> Experiment:
        for other in self.inner.scan_experiments(DELETED, None, ALL).items:
            if other.name == experiment.name and other.id != experiment.id:
                raise AlreadyExists("a deleted experiment has the name", field="name")
        return super().create_experiment(experiment)


class RestoredUnderAnotherName(Mutant):
    """Makes a name of its own up for an experiment whose name was taken meanwhile."""

    killed_by = "B-EXP-06"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        try:
            return super().update_experiment(experiment_id, changes)
        except AlreadyExists:
            if changes.name is not UNSET:
                raise
            name = f"{self.inner.get_experiment(experiment_id).name} ({experiment_id})"
            return super().update_experiment(experiment_id, replace(changes, name=name))


class DeletedFoundByName(Mutant):
    """Finds a deleted experiment where no living one has the name."""

    killed_by = "B-EXP-05"

    def find_experiment(self, name: str) -> Experiment:
        try:
            return super().find_experiment(name)
        except NotFound:
            for other in self.inner.scan_experiments(DELETED, None, ALL).items:
                if other.name == name:
                    return other
            raise


class DeletedExperimentsTakeEdits(Mutant):
    """Changes the tags of an experiment that is deleted."""

    killed_by = "B-EXP-05"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        try:
            return super().update_experiment(experiment_id, changes)
        except InvalidState:
            super().update_experiment(experiment_id, replace(changes, lifecycle_stage=ACTIVE))
            back = ExperimentChanges(lifecycle_stage=DELETED)
            return super().update_experiment(experiment_id, back)


class SecondDeletionRefused(Mutant):
    """Refuses to delete what is deleted."""

    killed_by = "B-EXP-05"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        stage = self.inner.get_experiment(experiment_id).lifecycle_stage
        if changes.lifecycle_stage == stage == DELETED:
            raise InvalidState("the experiment is deleted")
        return super().update_experiment(experiment_id, changes)


class PurgedRunsRemembered(Mutant):
    """Erases an experiment, and still has its runs."""

    killed_by = "B-EXP-08"
    kept: ClassVar[dict[str, Run]] = {}

    def get_run(self, run_id: str) -> Run:
        try:
            return super().get_run(run_id)
        except NotFound:
            if run_id in self.kept:
                return self.kept[run_id]
            raise

    def purge_experiment(self, experiment_id: str) -> None:
        runs = self.inner.scan_runs(experiment_id, None, None, ALL).items
        super().purge_experiment(experiment_id)
        self.kept.update({run.id: run for run in runs})


class RenameInTwoSteps(Mutant):
    """Sets the tags, and then finds that the new name is taken."""

    killed_by = "B-EXP-07"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        if (
            changes.name is UNSET
            or self.inner.get_experiment(experiment_id).lifecycle_stage == DELETED
        ):
            return super().update_experiment(experiment_id, changes)
        applied = super().update_experiment(experiment_id, replace(changes, name=UNSET))
        super().update_experiment(experiment_id, ExperimentChanges(name=changes.name))
        return applied


class TimeForgotten(Mutant):
    """Sets the time of the last change to 0 if a change does not give one."""

    killed_by = "B-EXP-01"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        if changes.last_update_time is UNSET:
            changes = replace(changes, last_update_time=0)
        return super().update_experiment(experiment_id, changes)


class ExperimentTagsReplaced(Mutant):
    """Takes the tags that are given for all that an experiment is to have."""

    killed_by = "B-EXP-01"

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        applied = super().update_experiment(experiment_id, changes)
        known = self.inner.get_experiment(experiment_id)
        if changes.tags and known.lifecycle_stage == ACTIVE:
            others = [key for key in known.tags if key not in changes.tags]
            super().update_experiment(experiment_id, ExperimentChanges(deleted_tags=others))
        return applied


class CreationRepeatedOverwrites(Mutant):
    """Takes the tags of a repeated creation for new ones."""

    killed_by = "B-EXP-09"

    def create_experiment(self, experiment: Experiment) -> Experiment:
        made = super().create_experiment(experiment)
        if made.tags != experiment.tags and made.lifecycle_stage == ACTIVE:
            changes = ExperimentChanges(tags=dict(experiment.tags))
            super().update_experiment(experiment.id, changes)
        return self.inner.get_experiment(experiment.id)


class RunsOfDeletedStayActive(Mutant):
    """Says of the runs of a deleted experiment that they are active."""

    killed_by = "B-RUN-03"

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        home = self.inner.get_experiment(run.experiment_id)
        return replace(run, lifecycle_stage=ACTIVE) if home.lifecycle_stage == DELETED else run


class DeletedRunsListed(Mutant):
    """Lists deleted runs among the active ones."""

    killed_by = "B-RUN-03"

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        return super().scan_runs(experiment_id, None if stage == ACTIVE else stage, after, limit)


class EndTimeMadeUp(Mutant):
    """Sets the end time of a run that ends without one."""

    killed_by = "B-RUN-01"

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        if changes.status == RunStatus.FINISHED and changes.end_time is UNSET:
            changes = replace(changes, end_time=1)
        super().update_run(run_id, changes)


class StatusOnlyForward(Mutant):
    """Refuses to let a run go on that has finished."""

    killed_by = "B-RUN-01"
    near = ("B-RUN-04", "B-PAR-02", "B-TAG-01")

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        ended = self.inner.get_run(run_id).status == RunStatus.FINISHED
        if ended and changes.status == RunStatus.RUNNING:
            raise InvalidState("the run has ended")
        super().update_run(run_id, changes)


class EndTimeNeverUnset(Mutant):
    """Takes None for "unchanged"."""

    killed_by = "B-RUN-01"

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        if changes.end_time is None:
            changes = replace(changes, end_time=UNSET)
        super().update_run(run_id, changes)


class TagsShared(Mutant):
    """Keeps the very tags that it was given, which the caller may change."""

    killed_by = "B-RUN-01"
    given: ClassVar[dict[str, Mapping[str, str]]] = {}

    def create_run(self, run: Run) -> Run:
        self.given[run.id] = run.tags
        return super().create_run(run)

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        shared = self.given.get(run_id, {})
        return replace(run, tags=shared) if run.tags.keys() == shared.keys() else run

    def log(self, run_id: str, batch: object) -> Applied:
        self.given.pop(run_id, None)
        return super().log(run_id, batch)  # type: ignore[arg-type]

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self.given.pop(run_id, None)
        super().update_run(run_id, changes)


class RepeatedRunIgnoresFields(Mutant):
    """Gives the stored run for a known id, whatever else was given."""

    killed_by = "B-RUN-04"

    def create_run(self, run: Run) -> Run:
        try:
            return self.inner.get_run(run.id)
        except NotFound:
            return super().create_run(run)


class IdsTrimmed(Mutant):
    """Finds a run by its id with blanks around it, or in other letters."""

    killed_by = "B-RUN-06"

    def get_run(self, run_id: str) -> Run:
        return super().get_run(run_id.strip().lower())


class IdsAsNumbers(Mutant):
    """Finds experiment 7 as "007"."""

    killed_by = "B-RUN-06"

    def get_experiment(self, experiment_id: str) -> Experiment:
        number = experiment_id if not experiment_id.isdecimal() else str(int(experiment_id))
        return super().get_experiment(number)


class UnknownExperimentRefused(Mutant):
    """Does not list the runs of an experiment that is not there."""

    killed_by = "B-RUN-06"
    near = ("B-RUN-01", "B-RUN-04", "B-EXP-02")

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        self.inner.get_experiment(experiment_id)
        return super().scan_runs(experiment_id, stage, after, limit)


class ActiveRunsPurged(Mutant):
    """Erases a run that is not deleted."""

    killed_by = "B-RUN-07"

    def purge_run(self, run_id: str) -> None:
        self.inner.update_run(run_id, RunChanges(lifecycle_stage=DELETED))
        super().purge_run(run_id)


class PurgeTakesNeighbours(Mutant):
    """Erases all runs that began at the same time."""

    killed_by = "B-RUN-07"

    def purge_run(self, run_id: str) -> None:
        gone = self.inner.get_run(run_id)
        super().purge_run(run_id)
        for run in self.inner.scan_runs(gone.experiment_id, None, None, ALL).items:
            if run.start_time == gone.start_time:
                self.inner.update_run(run.id, RunChanges(lifecycle_stage=DELETED))
                super().purge_run(run.id)


class DeletedRunsTakeStatus(Mutant):
    """Ends a run that is deleted."""

    killed_by = "B-RUN-02"

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        try:
            super().update_run(run_id, changes)
        except InvalidState:
            home = self.inner.get_run(run_id).experiment_id
            if self.inner.get_experiment(home).lifecycle_stage == DELETED:
                raise
            super().update_run(run_id, replace(changes, lifecycle_stage=ACTIVE))
            super().update_run(run_id, RunChanges(lifecycle_stage=DELETED))


LIFECYCLE: tuple[type[Mutant], ...] = (
    NamesStayTaken,
    RestoredUnderAnotherName,
    DeletedFoundByName,
    DeletedExperimentsTakeEdits,
    SecondDeletionRefused,
    PurgedRunsRemembered,
    RenameInTwoSteps,
    TimeForgotten,
    ExperimentTagsReplaced,
    CreationRepeatedOverwrites,
    RunsOfDeletedStayActive,
    DeletedRunsListed,
    EndTimeMadeUp,
    StatusOnlyForward,
    EndTimeNeverUnset,
    TagsShared,
    RepeatedRunIgnoresFields,
    IdsTrimmed,
    IdsAsNumbers,
    UnknownExperimentRefused,
    ActiveRunsPurged,
    PurgeTakesNeighbours,
    DeletedRunsTakeStatus,
)
