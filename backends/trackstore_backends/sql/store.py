"""The backend store of every SQL database."""

from typing import ClassVar, cast

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
    RunQuery,
    SearchCursor,
)
from trackstore.stores import BackendStore, Guarantees
from trackstore_backends.sql import history, reads, search, writes
from trackstore_backends.sql.connections import Connections
from trackstore_backends.sql.database import Database
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.writer import Writer


class SQLBackendStore(BackendStore):
    """Reads run side by side, each on one instant; writes share transactions.

    A database's own class makes the `Database` from a URL.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")

    def __init__(self, database: Database) -> None:
        self._connections = Connections(database)
        self._labels = Labels()
        self._writer = Writer(self._connections, self._labels)

    def close(self) -> None:
        self._connections.gate.close()

    def create_experiment(self, experiment: Experiment) -> Experiment:
        return self._writer.run(
            lambda session, labels: writes.create_experiment(session, labels, experiment)
        )

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._connections.read() as session:
            return reads.get_experiment(session, experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        with self._connections.read() as session:
            return reads.find_experiment(session, name)

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        return self._writer.run(
            lambda session, labels: writes.update_experiment(
                session, labels, experiment_id, changes
            )
        )

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        with self._connections.read() as session:
            return reads.scan_experiments(session, stage, after, limit)

    def create_run(self, run: Run) -> Run:
        return self._writer.run(lambda session, labels: writes.create_run(session, labels, run))

    def get_run(self, run_id: str) -> Run:
        with self._connections.read() as session:
            return reads.get_run(session, run_id)

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self._writer.run(
            lambda session, labels: writes.update_run(session, labels, run_id, changes)
        )

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        found = self.search_runs(RunQuery((experiment_id,), stage=stage), after, limit)
        return cast("Page[Run, RunCursor]", found)

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        with self._connections.read() as session:
            return search.search_runs(session, self._labels, query, after, limit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        return self._writer.log(run_id, batch)

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        with self._connections.read() as session:
            return history.read(session, self._labels, run_id, key, after=after, limit=limit)

    def purge_run(self, run_id: str) -> None:
        self._writer.run(lambda session, _: writes.purge_run(session, run_id))

    def purge_experiment(self, experiment_id: str) -> None:
        self._writer.run(lambda session, _: writes.purge_experiment(session, experiment_id))
