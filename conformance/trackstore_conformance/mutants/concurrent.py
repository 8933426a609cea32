"""Mutants that are right for one client at a time, and wrong for several at once."""

import json
from contextlib import ExitStack, nullcontext
from threading import Lock, Thread
from typing import ClassVar

from msgspec import UNSET
from msgspec.structs import replace

from trackstore.errors import (
    BackendError,
    Conflict,
    InvalidState,
    NotFound,
    Unavailable,
)
from trackstore.model import (
    Applied,
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    MetricCursor,
    Page,
    Run,
    RunChanges,
    order_image,
)
from trackstore.stores import BackendStore
from trackstore_conformance.mutants.wrapped import HIDDEN, Mutant
from trackstore_conformance.mutants.writing import CheckThenAct, ParamsOverwritten

DELETED = LifecycleStage.DELETED


class ParamLookedUpFirst(ParamsOverwritten):
    """Looks whether a param is there, and writes it a moment later."""

    killed_by = "B-PAR-03"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.get_run(run_id).params
        for key, value in batch.params.items():
            if known.get(key, value) != value:
                raise Conflict(f"param {key} has another value")
        return super().log(run_id, batch)


class OtherErrorInARace(Mutant):
    """Who loses a race finds out late, and says that something went wrong."""

    killed_by = "B-PAR-04"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).params
        if any(known.get(key, value) != value for key, value in batch.params.items()):
            raise Conflict("a param has another value")
        try:
            return super().log(run_id, batch)
        except Conflict as error:
            raise BackendError("duplicate key") from error


class UndoneAfterwards(Mutant):
    """Sets the tags of a batch first, and takes them back if the rest is refused."""

    killed_by = "B-BAT-05"
    near = ("B-PAR-02", "B-TAG-01")

    def log(self, run_id: str, batch: Batch) -> Applied:
        super().log(run_id, Batch(tags=batch.tags))
        try:
            return super().log(run_id, replace(batch, tags={}))
        except Conflict:
            super().log(run_id, Batch(deleted_tags=list(batch.tags)))
            raise


class HistoryWrittenBack(Mutant):
    """Keeps the points of a key as one text, which is read, extended and written."""

    killed_by = "B-MET-02"
    near = ("B-MET-01", "B-MET-03")

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).tags
        texts = {HIDDEN + p.key: known.get(HIDDEN + p.key, "[]") for p in batch.metrics}
        for point in batch.metrics:
            points = {*map(tuple, json.loads(texts[HIDDEN + point.key]))}
            points.add((point.step, point.timestamp, point.value))
            texts[HIDDEN + point.key] = json.dumps(sorted(points))
        return super().log(run_id, replace(batch, tags={**batch.tags, **texts}))

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        text = self.inner.get_run(run_id).tags.get(HIDDEN + key, "[]")
        rows = [tuple(row) for row in json.loads(text) if after is None or tuple(row) > after]
        points = [Metric(key, value, time, step) for step, time, value in rows[:limit]]
        return Page(points, rows[limit - 1] if len(rows) > limit else None)


class LatestWrittenBack(Mutant):
    """Keeps the latest point apart: reads it, writes the points, and then the greatest of them."""

    killed_by = "B-MET-07"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).tags
        latest: dict[str, tuple[float, ...]] = {}
        for point in batch.metrics:
            new = point.step, point.timestamp, point.value
            name = HIDDEN + point.key
            old = latest.get(name) or tuple(json.loads(known.get(name, "[]")))
            latest[name] = max(new, old, key=place_of)
        texts = {name: json.dumps(point) for name, point in latest.items()}
        applied = super().log(run_id, batch)
        super().log(run_id, Batch(tags=texts))
        return applied

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        latest = {}
        for name, text in run.tags.items():
            if name.startswith(HIDDEN):
                step, time, value = json.loads(text)
                latest[name[1:]] = Metric(name[1:], value, time, step)
        return replace(run, metrics=latest)


def place_of(point: tuple[float, ...]) -> tuple[float, ...]:
    """Return what the points of a key are ordered by."""
    return (*point[:2], *map(order_image, point[2:]))


class LatestOfAnOtherTime(Mutant):
    """Remembers the latest points of a run, and looks again at every third read."""

    killed_by = "B-MET-07"
    numbers: ClassVar[dict[str, int]] = {}

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.known: dict[str, Run] = {}

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        self.numbers[run_id] = number = self.numbers.get(run_id, 0) + 1
        if number % 3 == 0 or run_id not in self.known:
            self.known[run_id] = run
        return replace(run, metrics=self.known[run_id].metrics)


class TagsAppliedLater(Mutant):
    """Says that tags are set, and has a thread set them."""

    killed_by = "B-TAG-02"

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.writers: list[Thread] = []

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = super().log(run_id, replace(batch, tags={}))
        if batch.tags:
            writer = Thread(target=self.inner.log, args=(run_id, Batch(tags=batch.tags)))
            self.writers.append(writer)
            writer.start()
        return applied

    def close(self) -> None:
        for writer in self.writers:
            writer.join()
        super().close()


class TagsInTwoPieces(Mutant):
    """Writes the first half of a long tag, and then all of it."""

    killed_by = "B-TAG-03"

    def log(self, run_id: str, batch: Batch) -> Applied:
        halves = {key: text[: len(text) // 2] for key, text in batch.tags.items()}
        super().log(run_id, Batch(tags=halves))
        return super().log(run_id, batch)


class DeadlockReported(Mutant):
    """Locks tag by tag in the order of the batch, and gives up on one that stays locked."""

    killed_by = "B-BAT-06"
    locks: ClassVar[dict[tuple[str, str], Lock]] = {}

    def log(self, run_id: str, batch: Batch) -> Applied:
        with ExitStack() as held:
            for place, key in enumerate(batch.tags):
                lock = self.locks.setdefault((run_id, key), Lock())
                if not lock.acquire(timeout=0.01 if place else 5):
                    raise BackendError("deadlock")
                held.callback(lock.release)
            return super().log(run_id, batch)


class BusyAtOnce(Mutant):
    """Does not wait for another writer."""

    killed_by = "B-CON-02"
    writing: ClassVar[Lock] = Lock()

    def log(self, run_id: str, batch: Batch) -> Applied:
        if not self.writing.acquire(blocking=False):
            raise Unavailable("the database is locked")
        try:
            return super().log(run_id, batch)
        finally:
            self.writing.release()


class ForeignErrorInARace(Mutant):
    """Changes a dict that another thread is going through."""

    killed_by = "B-ERR-01"
    writing: ClassVar[set[object]] = set()

    def log(self, run_id: str, batch: Batch) -> Applied:
        mine = object()
        self.writing.add(mine)
        try:
            for _ in self.writing:
                super().get_run(run_id)
            return super().log(run_id, batch)
        finally:
            self.writing.discard(mine)


class RunWrittenBack(Mutant):
    """Reads a run and writes all of it, where a part was to be changed."""

    killed_by = "B-RUN-01"
    near = ("B-PAR-02", "B-TAG-01")

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        run = self.inner.get_run(run_id)
        status = run.status if changes.status is UNSET else changes.status
        end = run.end_time if changes.end_time is UNSET else changes.end_time
        super().update_run(run_id, replace(changes, status=status, end_time=end))


class ReadsOfAnOtherTime(Mutant):
    """Remembers a run for each handle until that handle writes to it, or has read it thrice."""

    killed_by = "B-SES-01"

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.known: dict[str, list[Run]] = {}

    def get_run(self, run_id: str) -> Run:
        remembered = self.known.get(run_id)
        if not remembered or len(remembered) > 2:
            remembered = self.known[run_id] = [super().get_run(run_id)]
        remembered.append(remembered[0])
        return remembered[0]

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = super().log(run_id, batch)
        self.known.pop(run_id, None)
        return applied

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        super().update_run(run_id, changes)
        self.known.pop(run_id, None)


class StageCheckedFirst(Mutant):
    """Keeps stages by itself: looks if a run is deleted, and writes to it a moment later."""

    killed_by = "B-RUN-02"
    near = ("B-RUN-01", "B-EXP-05")
    deleted: ClassVar[set[str]] = set()

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        stage = changes.lifecycle_stage
        if stage is not UNSET:
            (self.deleted.add if stage == DELETED else self.deleted.discard)(run_id)
        super().update_run(run_id, replace(changes, lifecycle_stage=UNSET))

    def get_run(self, run_id: str) -> Run:
        there = run_id not in self.deleted
        run = super().get_run(run_id)
        return run if there else replace(run, lifecycle_stage=DELETED)

    def log(self, run_id: str, batch: Batch) -> Applied:
        if self.get_run(run_id).lifecycle_stage == DELETED:
            raise InvalidState("the run is deleted")
        return super().log(run_id, batch)


class ExperimentsStageCheckedFirst(Mutant):
    """Looks if the experiment of a run is deleted, and writes to the run a moment later."""

    killed_by = "B-RUN-03"
    near = ("B-RUN-01", "B-PAR-02")
    deleted: ClassVar[set[str]] = set()

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        stage = changes.lifecycle_stage
        if stage is not UNSET:
            (self.deleted.add if stage == DELETED else self.deleted.discard)(experiment_id)
        return super().update_experiment(experiment_id, replace(changes, lifecycle_stage=UNSET))

    def get_run(self, run_id: str) -> Run:
        deleted = set(self.deleted)
        run = super().get_run(run_id)
        return replace(run, lifecycle_stage=DELETED) if run.experiment_id in deleted else run

    def log(self, run_id: str, batch: Batch) -> Applied:
        if self.inner.get_run(run_id).experiment_id in self.deleted:
            raise InvalidState("the experiment is deleted")
        return super().log(run_id, batch)


class MissRemembered(Mutant):
    """Remembers that a name was not there, until it has said so once more."""

    killed_by = "B-EXP-04"
    near = ("B-EXP-01", "B-EXP-03")

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.missing: set[str] = set()

    def find_experiment(self, name: str) -> Experiment:
        if name in self.missing:
            self.missing.discard(name)
            raise NotFound("no such name")
        try:
            return super().find_experiment(name)
        except NotFound:
            self.missing.add(name)
            raise


class RenameChecksThenActs(CheckThenAct):
    """Looks whether a name is free for a rename, and takes it a moment later."""

    killed_by = "B-EXP-07"
    taking: ClassVar[Lock] = Lock()

    def create_experiment(self, experiment: Experiment) -> Experiment:
        with self.taking:
            return super().create_experiment(experiment)

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        if changes.lifecycle_stage == DELETED:
            return self.inner.update_experiment(experiment_id, changes)
        with nullcontext() if self.is_broken_for(changes) else self.taking:
            return super().update_experiment(experiment_id, changes)

    def is_broken_for(self, changes: ExperimentChanges) -> bool:
        return changes.name is not UNSET


class RestoreChecksThenActs(RenameChecksThenActs):
    """Looks whether a name is free for what is restored, and restores it a moment later."""

    killed_by = "B-EXP-06"

    def is_broken_for(self, changes: ExperimentChanges) -> bool:
        return changes.lifecycle_stage == LifecycleStage.ACTIVE


CONCURRENT: tuple[type[Mutant], ...] = (
    ParamLookedUpFirst,
    OtherErrorInARace,
    UndoneAfterwards,
    HistoryWrittenBack,
    LatestWrittenBack,
    LatestOfAnOtherTime,
    TagsAppliedLater,
    TagsInTwoPieces,
    DeadlockReported,
    BusyAtOnce,
    ForeignErrorInARace,
    RunWrittenBack,
    ReadsOfAnOtherTime,
    StageCheckedFirst,
    ExperimentsStageCheckedFirst,
    MissRemembered,
    RenameChecksThenActs,
    RestoreChecksThenActs,
)
