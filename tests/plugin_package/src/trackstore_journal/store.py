"""The store: a lock, a line for each write, and pages of what the lines add up to."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import urlsplit

from msgspec import convert, to_builtins

from trackstore.errors import BackendError, InvalidRequest, InvalidState, NotFound
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
    order_image,
)
from trackstore.stores import BackendStore, Guarantees
from trackstore_journal.journal import Journal
from trackstore_journal.state import State

T = TypeVar("T")

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "create_experiment": (Experiment,),
    "update_experiment": (str, ExperimentChanges),
    "purge_experiment": (str,),
    "create_run": (Run,),
    "update_run": (str, RunChanges),
    "purge_run": (str,),
    "log": (str, Batch),
}
"""The types of what each kind of line holds."""


class JournalStore(BackendStore):
    guarantees: ClassVar = Guarantees(durability="process-crash")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        self._forget()

    @classmethod
    def from_url(cls, url: str) -> Self:
        path = urlsplit(url).path
        if not path:
            raise InvalidRequest("expected journal:///path/to/runs.jsonl")
        return cls(Path(path))

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def _forget(self) -> None:
        """Begin anew: the next call reads the journal from its first line."""
        self._process = os.getpid()
        self._lock = Lock()
        self._journal = Journal(self._path)
        self._state = State()

    @contextmanager
    def _now(self) -> Iterator[Callable[[bytes], None]]:
        """Bring the state up to date, and keep it so; yield what appends a line."""
        if self._process != os.getpid():  # after a fork, another thread may have held the lock
            self._forget()
        with self._lock:
            if self._closed:
                raise InvalidState("this store is closed")
            try:
                with self._journal.locked(self._apply) as append:
                    yield append
            except OSError as error:
                self._journal, self._state = Journal(self._path), State()
                message = "the journal cannot be read or written"
                raise BackendError(message, outcome="unknown") from error

    def _apply(self, line: bytes) -> Any:
        name, *args = json.loads(line)
        types = ARGUMENTS[name]
        return getattr(self._state, name)(*map(convert, args, types))

    def _write(self, name: str, *args: Any) -> Any:
        """Apply a call, as every other process will from its line, and then keep the line."""
        line = json.dumps([name, *map(to_builtins, args)]).encode() + b"\n"
        with self._now() as append:
            found = self._apply(line)
            append(line)
            return found

    def create_experiment(self, experiment: Experiment) -> Experiment:
        found: Experiment = self._write("create_experiment", experiment)
        return found

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._now():
            return self._state.experiment(experiment_id)

    def find_experiment(self, name: str) -> Experiment:
        with self._now():
            found = self._state.named(name)
        if found is None:
            raise NotFound(f"no experiment is named {name[:100]!r}")
        return found

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        found: Applied = self._write("update_experiment", experiment_id, changes)
        return found

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        with self._now():
            found = [*self._state.experiments.values()]
        rows, more = page(
            [each for each in found if stage in {None, each.lifecycle_stage}],
            lambda each: (-each.creation_time, each.id),
            after and (-after[0], after[1]),
            limit,
        )
        return Page(rows, (rows[-1].creation_time, rows[-1].id) if more else None)

    def purge_experiment(self, experiment_id: str) -> None:
        self._write("purge_experiment", experiment_id)

    def create_run(self, run: Run) -> Run:
        found: Run = self._write("create_run", run)
        return found

    def get_run(self, run_id: str) -> Run:
        with self._now():
            return self._state.whole(self._state.stored(run_id))

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self._write("update_run", run_id, changes)

    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        with self._now():
            found = [self._state.whole(stored) for stored in self._state.runs.values()]
        rows, more = page(
            [
                run
                for run in found
                if run.experiment_id == experiment_id and stage in {None, run.lifecycle_stage}
            ],
            lambda run: (-run.start_time, run.id),
            after and (-after[0], after[1]),
            limit,
        )
        return Page(rows, (rows[-1].start_time, rows[-1].id) if more else None)

    def purge_run(self, run_id: str) -> None:
        self._write("purge_run", run_id)

    def log(self, run_id: str, batch: Batch) -> Applied:
        found: Applied = self._write("log", run_id, batch)
        return found

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        with self._now():
            points = [*self._state.stored(run_id).points.get(key, {}).values()]
        rows, more = page(
            points,
            lambda point: (point.step, point.timestamp, order_image(point.value)),
            after and (after[0], after[1], order_image(after[2])),
            limit,
        )
        last = rows[-1] if more else None
        return Page(rows, last and (last.step, last.timestamp, last.value))


def page(rows: list[T], key: Callable[[T], Any], after: Any, limit: int) -> tuple[list[T], bool]:
    """Return the `limit` rows that follow `after` in the order of `key`, and if more do."""
    rest = sorted((row for row in rows if after is None or key(row) > after), key=key)
    return rest[:limit], len(rest) > limit
