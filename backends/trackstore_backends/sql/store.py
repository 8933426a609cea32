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
    MetricColumns,
    MetricCursor,
    Page,
    Run,
    RunChanges,
    RunCursor,
    RunQuery,
    RunStatus,
    SchemaChange,
    SearchCursor,
)
from trackstore.stores import Guarantees
from trackstore_backends.sql import charts, history, reads, sealing, search, writes
from trackstore_backends.sql.connections import Connections
from trackstore_backends.sql.database import Database, Session
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.models_store import SQLModelStore
from trackstore_backends.sql.sealing import Sealer, Sizes
from trackstore_backends.sql.writer import Writer

ENDED = {RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED}


class SQLBackendStore(SQLModelStore):
    """Reads run side by side, each on one instant; writes share transactions.

    A database's own class makes the `Database` from a URL.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")

    def __init__(self, database: Database, sizes: Sizes = Sizes()) -> None:  # noqa: B008 - frozen
        self._connections = Connections(database)
        self._labels = Labels()
        self._writer = Writer(self._connections, self._labels)
        self._sizes = sizes
        self._sealer = Sealer(self._writer.run, sizes)

    def close(self) -> None:
        self._sealer.finish()
        self._connections.gate.close()

    def upgrade(self) -> SchemaChange:
        return self._connections.upgrade()

    def create_experiment(self, experiment: Experiment) -> Experiment:
        return self._writer.run(
            lambda session, labels: writes.create_experiment(session, labels, experiment)
        )

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self._connections.read(lambda session: reads.get_experiment(session, experiment_id))

    def find_experiment(self, name: str) -> Experiment:
        return self._connections.read(lambda session: reads.find_experiment(session, name))

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        return self._writer.run(
            lambda session, labels: writes.update_experiment(
                session, labels, experiment_id, changes
            )
        )

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        return self._connections.read(
            lambda session: reads.scan_experiments(session, stage, after, limit)
        )

    def create_run(self, run: Run) -> Run:
        created = self._writer.run(lambda session, labels: writes.create_run(session, labels, run))
        self._sealer.help()
        return created

    def get_run(self, run_id: str) -> Run:
        return self._connections.read(lambda session: reads.get_run(session, run_id))

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        def work(session: Session, labels: Labels) -> bool:
            run = writes.update_run(session, labels, run_id, changes)
            return changes.status in ENDED and sealing.mark(session, run, self._sizes)

        if self._writer.run(work):
            self._sealer.ended(run_id)

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
        return self._connections.read(
            lambda session: search.search_runs(session, self._labels, query, after, limit)
        )

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = self._writer.log(run_id, batch)
        if batch.metrics:
            self._sealer.logged(run_id, batch)
        return applied

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        return self._connections.read(
            lambda session: history.read(
                session, self._labels, run_id, key, after=after, limit=limit
            )
        )

    def metric_columns(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> MetricColumns[MetricCursor]:
        return self._connections.read(
            lambda session: history.read_columns(
                session, self._labels, run_id, key, after=after, limit=limit
            )
        )

    def downsample_history(
        self, run_id: str, key: str, steps: tuple[int, int], most: int
    ) -> MetricColumns[MetricCursor]:
        return self._connections.read(
            lambda session: charts.downsample(
                session, self._labels, run_id, key, steps=steps, most=most
            )
        )

    def purge_run(self, run_id: str) -> None:
        self._writer.run(lambda session, _: writes.purge_run(session, run_id))

    def purge_experiment(self, experiment_id: str) -> None:
        self._writer.run(lambda session, _: writes.purge_experiment(session, experiment_id))
