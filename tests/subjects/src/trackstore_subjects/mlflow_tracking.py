"""MLflow's two tracking stores, by the calls that MLflow's own server makes on them."""

import os
from typing import Any, ClassVar

from mlflow import entities
from mlflow.entities import RunStatus, ViewType
from mlflow.store.tracking.file_store import FileStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from msgspec import UNSET

from trackstore import model
from trackstore.errors import InvalidState, Unsupported
from trackstore.model import Applied, Batch, LifecycleStage, Metric, Page, Run, RunChanges
from trackstore.stores import Guarantees
from trackstore_subjects import mlflow_words as words
from trackstore_subjects.mlflow_experiments import VIEWS, ExperimentsOfMLflow

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class MLflowStore(ExperimentsOfMLflow):
    def its(self, ident: str) -> entities.Run:
        def by(text: str) -> Any:
            homes = [e.experiment_id for e in self.search(ViewType.ALL, 10_000, None, None)]
            return self.call(self.theirs.search_runs, homes, text, ViewType.ALL, 1)

        return self.found(ident, by, self.theirs.get_run)

    def new_run(self, run: Run) -> Run:
        home, tags = self.home(run.experiment_id).experiment_id, words.tags_of_run(run)
        self.call(self.theirs.create_run, home, run.user_id, run.start_time, tags, None)
        if (run.status, run.end_time) != (model.RunStatus.RUNNING, None):
            end = UNSET if run.end_time is None else run.end_time
            self.update_run(run.id, RunChanges(run.status, end))
        if run.lifecycle_stage is DELETED:
            self.update_run(run.id, RunChanges(lifecycle_stage=DELETED))
        return self.get_run(run.id)

    def get_run(self, run_id: str) -> Run:
        return words.as_run(self.its(run_id))

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        old = self.its(run_id)
        theirs, was, stage = old.info.run_id, old.info.lifecycle_stage, changes.lifecycle_stage
        if changes.end_time is None and old.info.end_time is not None:
            raise Unsupported("MLflow does not unset an end time")
        if stage is ACTIVE and was == DELETED:
            self.call(self.theirs.restore_run, theirs)
        if changes.status is not UNSET or changes.end_time not in {UNSET, None}:
            status = old.info.status if changes.status is UNSET else changes.status
            end = None if changes.end_time is UNSET else changes.end_time
            number = RunStatus.from_string(status)
            self.call(self.theirs.update_run_info, theirs, number, end, None)
        tags = dict(changes.tags)
        if changes.deleted_time is not UNSET and ACTIVE in {stage, was}:
            tags[words.REST] = words.deleted_at(old, changes.deleted_time)
        if tags:
            self.call(self.theirs.log_batch, theirs, [], [], words.run_tags(tags))
        if stage is DELETED and was == ACTIVE:
            self.call(self.theirs.delete_run, theirs)

    def scan_runs(
        self, experiment_id: str, stage: LifecycleStage | None, after: Any, limit: int
    ) -> Page[Run, Any]:
        try:
            home = self.home(experiment_id).experiment_id
        except LookupError:
            return Page([])

        def read(token: str | None) -> Any:
            order = ["start_time DESC"]
            view = VIEWS[stage]
            return self.call(self.theirs.search_runs, [home], None, view, limit, order, token)

        key = lambda run: (run.start_time, run.id)  # noqa: E731
        return self.page((home, stage), after, read, words.as_run, key)

    def log(self, run_id: str, batch: Batch) -> Applied:
        theirs, metrics, (datasets, models) = self.its(run_id).info.run_id, *parts(batch)
        self.call(self.theirs.log_batch, theirs, *metrics)
        if datasets or models:
            self.call(self.theirs.log_inputs, theirs, datasets, models)
        if batch.outputs:
            outputs = [entities.LoggedModelOutput(o.model_id, o.step) for o in batch.outputs]
            self.call(self.theirs.log_outputs, theirs, outputs)
        return self.without(self.theirs.delete_tag, theirs, batch.deleted_tags)

    def metric_history(self, run_id: str, key: str, after: Any, limit: int) -> Page[Metric, Any]:
        theirs = self.its(run_id).info.run_id

        def read(token: str | None) -> Any:
            return self.call(self.theirs.get_metric_history, theirs, key, limit, token)

        place = lambda point: (point.step, point.timestamp, point.value)  # noqa: E731
        return self.page((theirs, key), after, read, words.as_metric, place)

    def purge_run(self, run_id: str) -> None:
        """Purge as `mlflow gc` does, which takes deleted runs alone."""
        found = self.its(run_id)
        if found.info.lifecycle_stage == ACTIVE:
            raise InvalidState("the run is active")
        self.call(self.theirs._hard_delete_run, found.info.run_id)


def parts(batch: Batch) -> tuple[Any, Any]:
    return words.batch_of(batch), words.inputs_of(batch)


class MLflowSql(MLflowStore):
    guarantees: ClassVar = Guarantees(durability="process-crash")

    def opened(self, path: str) -> SqlAlchemyStore:
        return SqlAlchemyStore(f"sqlite:///{path}/mlflow.db", f"{path}/artifacts")


class MLflowFiles(MLflowStore):
    guarantees: ClassVar = Guarantees(durability="none", tag_reads="eventual")

    def opened(self, path: str) -> FileStore:
        return FileStore(f"{path}/mlruns")
