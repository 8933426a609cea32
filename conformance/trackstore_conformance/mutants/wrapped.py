"""A store around another, which does exactly what the other does."""

from typing import Any, ClassVar, Self

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
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

HIDDEN = "\x02"
"""Begins what a mutant keeps in the store that it wraps, and does not show."""


class Mutant(BackendStore):
    """Forwards every call; a mutant overrides what it breaks."""

    killed_by: ClassVar[str] = ""
    """The name of the test that must fail."""

    def __init__(self, inner: BackendStore) -> None:
        self.inner = inner
        self.ephemeral = inner.ephemeral  # type: ignore[misc]  # as the one it wraps

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(open_backend_store(url))

    def close(self) -> None:
        self.inner.close()

    def create_experiment(self, experiment: Experiment) -> Experiment:
        return self.inner.create_experiment(experiment)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self.inner.get_experiment(experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        return self.inner.find_experiment(name)

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        return self.inner.update_experiment(experiment_id, changes)

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        return self.inner.scan_experiments(stage, after, limit)

    def create_run(self, run: Run) -> Run:
        return self.inner.create_run(run)

    def get_run(self, run_id: str) -> Run:
        return self.inner.get_run(run_id)

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self.inner.update_run(run_id, changes)

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        return self.inner.scan_runs(experiment_id, stage, after, limit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        return self.inner.log(run_id, batch)

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        return self.inner.metric_history(run_id, key, after, limit)

    def purge_run(self, run_id: str) -> None:
        self.inner.purge_run(run_id)

    def purge_experiment(self, experiment_id: str) -> None:
        self.inner.purge_experiment(experiment_id)


def whole_history(store: BackendStore, run_id: str, key: str) -> list[Metric]:
    return list(store.metric_history(run_id, key, None, 1_000_000).items)


def first_rows(rows: list[Any], limit: int, cursor: Any) -> Page[Any, Any]:
    """Return a page of `rows`; `cursor` makes its `next` of its last row."""
    more = len(rows) > limit
    return Page(rows[:limit], cursor(rows[limit - 1]) if more else None)
