"""The backend store of a folder: a journal that all processes append to, in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from trackstore.model import (
    Applied,
    Batch,
    Experiment,
    ExperimentChanges,
    ExperimentCursor,
    LifecycleStage,
    Metric,
    MetricCursor,
    Page,
    Run,
    RunChanges,
    RunCursor,
)
from trackstore.stores import Guarantees
from trackstore_backends.file.urls import root_of
from trackstore_backends.gate import Gate
from trackstore_backends.group import GroupCommit
from trackstore_backends.records.folder import Folder
from trackstore_backends.records.history import Histories, page_of
from trackstore_backends.records.models_store import FileModelStore
from trackstore_backends.records.operations import (
    CreateExperiment,
    CreateRun,
    Operation,
    PurgeExperiment,
    PurgeRun,
    UpdateExperiment,
    UpdateRun,
    encoded,
    log_of,
)
from trackstore_backends.records.records import Records, Request
from trackstore_backends.state import State


class FileBackendStore(FileModelStore):
    """Needs no database, works on NFS, and keeps all but the points in memory.

    `docs/backends/records.md` has the layout, the guarantees and the limits.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")

    def __init__(self, root: Path) -> None:
        self._records = Records(Folder(root))
        self._group: GroupCommit[Request, Any] = GroupCommit(self._records.commit)
        self._histories = Histories()
        self._gate = Gate(lambda: None)  # no file is open between calls

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(root_of(url))

    def close(self) -> None:
        self._gate.close()
        self._records.forget()

    def create_experiment(self, experiment: Experiment) -> Experiment:
        return cast("Experiment", self._write(CreateExperiment(experiment)))

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._now() as state:
            return state.get_experiment(experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        with self._now() as state:
            return state.find_experiment(name)

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        return cast("Applied", self._write(UpdateExperiment(experiment_id, changes)))

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        with self._now() as state:
            return state.scan_experiments(stage, after, limit)

    def create_run(self, run: Run) -> Run:
        return cast("Run", self._write(CreateRun(run)))

    def get_run(self, run_id: str) -> Run:
        with self._now() as state:
            return state.get_run(run_id)

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self._write(UpdateRun(run_id, changes))

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        with self._now() as state:
            return state.scan_runs(experiment_id, stage, after, limit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        return cast("Applied", self._write(log_of(run_id, batch)))

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        with self._gate, self._records.opened() as journal:
            with self._records.now(journal) as view:
                view.state.run(run_id)
                places = bytes(view.places(run_id).by_key.get(key, b""))
            if journal is None or not places:
                return Page(())
            points = self._histories.read(journal, view.name, run_id, key, places)
        return page_of(points, key, after, limit)

    def purge_run(self, run_id: str) -> None:
        self._write(PurgeRun(run_id))

    def purge_experiment(self, experiment_id: str) -> None:
        self._write(PurgeExperiment(experiment_id))

    @contextmanager
    def _now(self) -> Iterator[State]:
        with self._gate, self._records.opened() as journal, self._records.now(journal) as view:
            yield view.state

    def _write(self, operation: Operation) -> object:
        with self._gate:
            return self._group.submit((operation, encoded(operation)))
