"""Optuna's storages as backend stores: a study is an experiment, a trial is a run.

Tags and params are user attributes; the intermediate values of a trial are its only metric.
"""

from typing import Any, ClassVar

import optuna
from msgspec import UNSET
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from trackstore import model
from trackstore.errors import InvalidState, NotFound, Unsupported
from trackstore.model import Applied, Batch, Experiment, Page, Run, RunStatus
from trackstore.stores import Guarantees
from trackstore_subjects import optuna_words as words
from trackstore_subjects.adapter import TrackingAdapter

optuna.logging.set_verbosity(optuna.logging.ERROR)
MINIMIZE = [StudyDirection.MINIMIZE]
DELETED = model.LifecycleStage.DELETED


class Optuna(TrackingAdapter):
    guarantees: ClassVar = Guarantees(durability="process-crash")
    translated = staticmethod(words.translated)

    def study(self, experiment_id: str) -> Any:
        for study in self.call(self.theirs.get_all_studies):
            if words.ours(study) == experiment_id:
                return study
        raise NotFound(f"there is no experiment {experiment_id!r}")

    def new_experiment(self, experiment: Experiment) -> Experiment:
        if experiment.lifecycle_stage is DELETED:
            raise Unsupported("a deleted study is gone")
        study = self.call(self.theirs.create_new_study, MINIMIZE, experiment.name)
        for key, value in words.attributes_of(experiment).items():
            self.call(self.theirs.set_study_user_attr, study, key, value)
        return self.get_experiment(experiment.id)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return words.as_experiment(self.study(experiment_id))

    def find_experiment(self, name: str) -> Experiment:
        self.call(self.theirs.get_study_id_from_name, name)
        for study in self.call(self.theirs.get_all_studies):
            if study.study_name == name and words.ours(study):
                return words.as_experiment(study)
        raise NotFound("the study has no attributes yet")

    def update_experiment(self, experiment_id: str, changes: model.ExperimentChanges) -> Applied:
        study = self.study(experiment_id)
        if changes.lifecycle_stage is DELETED or changes.deleted_tags:
            raise Unsupported("a deleted study is gone, and an attribute is not deleted")
        if changes.name is not UNSET:
            raise Unsupported("a study keeps its name")
        attributes = {words.TAG + key: value for key, value in changes.tags.items()}
        if changes.last_update_time is not UNSET:
            attributes[words.REST] = words.rest(study, 3, changes.last_update_time)
        for key, value in attributes.items():
            self.call(self.theirs.set_study_user_attr, study._study_id, key, value)
        return Applied()

    def scan_experiments(self, stage: Any, after: Any, limit: int) -> Page:
        studies = [] if stage is DELETED else self.call(self.theirs.get_all_studies)
        rows = [words.as_experiment(study) for study in studies if words.ours(study)]
        return words.page(rows, lambda each: (each.creation_time, each.id), after, limit)

    def purge_experiment(self, experiment_id: str) -> None:
        self.study(experiment_id)
        raise InvalidState("no study is deleted: it cannot be brought back")

    def trial(self, run_id: str) -> FrozenTrial:
        for study in self.call(self.theirs.get_all_studies):
            for trial in self.call(self.theirs.get_all_trials, study._study_id):
                if words.ours(trial) == run_id:
                    return trial
        raise NotFound(f"there is no run {run_id!r}")

    def new_run(self, run: Run) -> Run:
        if run.lifecycle_stage is DELETED:
            raise Unsupported("a trial is not deleted")
        study = self.study(run.experiment_id)._study_id
        self.call(self.theirs.create_new_trial, study, words.template(run))
        return self.get_run(run.id)

    def get_run(self, run_id: str) -> Run:
        return words.as_run(self.trial(run_id))

    def update_run(self, run_id: str, changes: model.RunChanges) -> None:
        trial = self.trial(run_id)
        if changes.lifecycle_stage is DELETED:
            raise Unsupported("a trial is not deleted")
        self.set_attributes(trial, words.TAG, changes.tags)
        if changes.end_time is not UNSET:
            self.set_attributes(trial, "", {words.REST: words.rest(trial, 5, changes.end_time)})
        if changes.status not in {UNSET, words.STATUSES[trial.state]}:
            state = words.STATES[changes.status]
            values = [0.0] if changes.status is RunStatus.FINISHED else None
            self.call(self.theirs.set_trial_state_values, trial._trial_id, state, values)

    def set_attributes(self, trial: FrozenTrial, prefix: str, values: Any) -> None:
        for key, value in values.items():
            self.call(self.theirs.set_trial_user_attr, trial._trial_id, prefix + key, value)

    def scan_runs(self, experiment_id: str, stage: Any, after: Any, limit: int) -> Page:
        try:
            study = self.study(experiment_id)._study_id
        except NotFound:
            return Page([])
        trials = [] if stage is DELETED else self.call(self.theirs.get_all_trials, study)
        rows = [words.as_run(trial) for trial in trials]
        return words.page(rows, lambda run: (run.start_time, run.id), after, limit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        trial = self.trial(run_id)
        if batch.deleted_tags or batch.inputs or batch.model_inputs or batch.outputs:
            raise Unsupported("a trial's attributes are not deleted, and it has no inputs")
        if any((point.key, point.timestamp) != (words.METRIC, 0) for point in batch.metrics):
            raise Unsupported("a trial has one metric, here called m, without times")
        self.set_attributes(trial, words.PARAM, batch.params)
        for point in batch.metrics:
            report = self.theirs.set_trial_intermediate_value
            self.call(report, trial._trial_id, point.step, point.value)
        self.set_attributes(trial, words.TAG, batch.tags)
        return Applied()

    def metric_history(self, run_id: str, key: str, after: Any, limit: int) -> Page:
        points = words.points_of(self.trial(run_id)) if key == words.METRIC else []
        rest = [point for point in points if after is None or point.step > after[0]]
        more = (rest[limit - 1].step, 0, rest[limit - 1].value) if len(rest) > limit else None
        return Page(rest[:limit], more)

    def purge_run(self, run_id: str) -> None:
        self.trial(run_id)
        raise InvalidState("a trial is not deleted")


class OptunaRdb(Optuna):
    def opened(self, path: str) -> RDBStorage:
        return RDBStorage(f"sqlite:///{path}/optuna.db")


class OptunaJournal(Optuna):
    def opened(self, path: str) -> JournalStorage:
        return JournalStorage(JournalFileBackend(f"{path}/optuna.log"))
