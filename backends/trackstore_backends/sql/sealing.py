"""Loose points are sealed: packed into chunks, a few thousand in a transaction.

When a run ends, its keys are sealed; a key of a running run is, but for its newest points, once
enough of them are loose.  Whoever writes does a slice of this work after a call, and `close` does
what is left: there is no thread that could outlive a handle or be lost in a fork.

A run that has ended is kept in the table `unsealed` until all of it is sealed, so that another
handle goes on where a killed process stopped.
"""

import logging
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from trackstore.errors import TrackstoreError
from trackstore.model import Batch
from trackstore_backends.sql import series
from trackstore_backends.sql.chunks import Chunk, Key, decoded, encoded
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.fragments import kept
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.series import Series

REMEMBERED = 100_000
"""Of how many keys it is known how many points came in."""

REWRITTEN = 4
"""How many chunks one transaction packs anew, because late points lie among theirs."""

log = logging.getLogger(__name__)


class Sizes(NamedTuple):
    """How many points..."""

    chunk: int = 4_096
    """are in a chunk at most,"""
    block: int = 1_024
    """are in a block of it,"""
    loose: int = 8_192
    """of a key are loose before the older ones are sealed,"""
    least: int = 128
    """are worth a chunk."""


class Task(NamedTuple):
    run_id: str
    key: str | None = None
    """One key of a running run; without it, all keys of a run that has ended,"""
    since: int = 0
    """but for those with lesser labels, which are done."""


Run = Callable[[Callable[[Session, Labels], list[Task]]], list[Task]]


class Sealer:
    """Knows what a handle has to seal, and does it by `run`, which runs a write transaction."""

    def __init__(self, run: Run, sizes: Sizes) -> None:
        self._run = run
        self._sizes = sizes
        self._tasks: deque[Task] = deque()
        self._counts: dict[tuple[str, str], int] = {}
        self._busy = Lock()  # of a thread of the parent, it stays locked after a fork: no matter

    def logged(self, run_id: str, batch: Batch) -> None:
        """Count points that were written, and do as much sealing as they made necessary."""
        counts = self._counts
        for metric in batch.metrics:
            cell = run_id, metric.key
            counts[cell] = count = counts.get(cell, 0) + 1
            if count >= self._sizes.loose:
                counts[cell] = count - self._sizes.chunk
                self._tasks.append(Task(run_id, metric.key))
        if len(counts) > REMEMBERED:
            counts.clear()
        self.help(1 + len(batch.metrics) // self._sizes.chunk)

    def ended(self, run_id: str) -> None:
        """Seal a run that has ended, from now on."""
        self._tasks.append(Task(run_id))
        self.help()

    def help(self, slices: int = 1) -> None:
        """Do some of what there is to do, unless another thread is at it."""
        if self._tasks and self._busy.acquire(blocking=False):
            try:
                for _ in range(slices):
                    self._step()
            finally:
                self._busy.release()

    def finish(self) -> None:
        while self._tasks:
            self._step()

    def _step(self) -> None:
        """Do a slice.  If it fails, the points stay loose, and whoever reads or writes is told why.

        The call that it comes after has succeeded, and must not fail for it.
        """
        try:
            task = self._tasks.popleft()
        except IndexError:
            return
        try:
            rest = self._run(lambda session, labels: seal(session, labels, task, self._sizes))
        except TrackstoreError as error:
            self._tasks.clear()
            log.warning("metric points stay unpacked for now: %s", error)
        else:
            self._tasks.extend(rest)


def mark(session: Session, run: int, sizes: Sizes) -> bool:
    """Note that a run has ended, and tell if there is anything to seal."""
    worth = "select 1 from points where run = ? limit 1 offset ?"
    if session.row(worth, (run, sizes.least - 1)) is None:
        return False
    session.run("insert into unsealed (run) values (?) on conflict do nothing", (run,))
    return True


def seal(session: Session, labels: Labels, task: Task, sizes: Sizes) -> list[Task]:
    """Seal a slice, and return what there is to do after it."""
    row = session.row("select run from runs where id = ? for update", (kept(task.run_id),))
    if row is None:
        return []
    run: int = row[0]
    if task.key is not None:
        label = labels.find(session, [task.key]).get(task.key)
        _pack(session, Series(run, label), sizes, least=sizes.chunk)
        return []
    since = _seal_keys(session, run, task.since, sizes)
    if since is not None:
        return [task._replace(since=since)]
    session.run("delete from unsealed where run = ?", (run,))
    return _left_behind(session)


def _left_behind(session: Session) -> list[Task]:
    """Return a run that is not sealed yet, perhaps because its process was killed."""
    row = session.row(
        "select r.id from unsealed u cross join runs r where r.run = u.run order by u.run limit 1"
    )
    return [] if row is None else [Task(row[0])]


def _seal_keys(session: Session, run: int, since: int, sizes: Sizes) -> int | None:
    """Seal about as many points as a chunk has; return the label to go on from, if there is one."""
    budget = sizes.chunk
    while budget > 0:
        row = session.row(
            "select label from points where run = ? and label >= ? order by label limit 1",
            (run, since),
        )
        if row is None:
            return None
        since = row[0]
        count = _pack(session, Series(run, since), sizes, least=sizes.least)
        if not count:  # what is left of it stays loose
            since += 1
        budget -= max(count, sizes.least)
    return since


def _pack(session: Session, found: Series, sizes: Sizes, *, least: int) -> int:
    """Move the first points of a key to chunks, if there are at least so many loose ones.

    Return how many points were packed, with those that were so already.
    """
    points = series.loose_after(session, found, None, sizes.chunk)
    if len(points) < least:
        return 0
    old = _among(session, found, points) or _before(session, found, points, sizes)
    if len(old) > REWRITTEN:
        following = old.pop()[1]
        points = [point for point in points if point < following.first]
    known = {key for _, chunk in old for key in decoded(chunk).points()}
    packed = sorted(known.union(points)) if known else points
    session.run_many("delete from chunks where chunk = ?", [(number,) for number, _ in old])
    session.run_many(_ADD_CHUNK, [(*found, *chunk) for chunk in _chunks(packed, sizes)])
    _remove_loose(session, found, points[-1])
    return len(packed)


def _among(session: Session, found: Series, points: list[Key]) -> list[tuple[int, Chunk]]:
    """Return the first chunks, with their numbers, that overlap with some points."""
    step, timestamp, o = points[0]
    rows = session.rows(
        f"{_NUMBERED} and last_step >= ? "
        "and (last_step > ? or last_ts > ? or last_ts = ? and last_o >= ?) "
        "order by last_step, last_ts, last_o limit ?",
        (*found, step, step, timestamp, timestamp, o, REWRITTEN + 1),
    )
    chunks = [(row[0], Chunk(*row[1:])) for row in rows]
    return [each for each in chunks if each[1].first <= points[-1]]


def _before(
    session: Session, found: Series, points: list[Key], sizes: Sizes
) -> list[tuple[int, Chunk]]:
    """Return the chunk before some points, if they have room in it."""
    step, timestamp, o = points[0]
    row = session.row(
        f"{_NUMBERED} and last_step <= ? "
        "and (last_step < ? or last_ts < ? or last_ts = ? and last_o < ?) "
        "order by last_step desc, last_ts desc, last_o desc limit 1",
        (*found, step, step, timestamp, timestamp, o),
    )
    chunks = [] if row is None else [(row[0], Chunk(*row[1:]))]
    return [each for each in chunks if each[1].points + len(points) <= sizes.chunk]


def _chunks(points: list[Key], sizes: Sizes) -> list[Chunk]:
    """Return chunks of nearly equal size."""
    count = -(-len(points) // sizes.chunk)
    size = -(-len(points) // count)
    return [
        encoded(points[start : start + size], sizes.block) for start in range(0, len(points), size)
    ]


def _remove_loose(session: Session, found: Series, last: Key) -> None:
    """Delete the loose points up to one."""
    step, timestamp, o = last
    for where, values in (
        ("step < ?", (step,)),
        ("step = ? and ts < ?", (step, timestamp)),
        ("step = ? and ts = ? and o <= ?", (step, timestamp, o)),
    ):
        session.run(
            f"delete from points where run = ? and label = ? and {where}", (*found, *values)
        )


_NUMBERED = f"select chunk, {series.COLUMNS} from chunks where run = ? and label = ?"
_ADD_CHUNK = (
    f"insert into chunks (run, label, {series.COLUMNS}) "
    f"values (?, ?, {', '.join('?' * len(Chunk._fields))})"
)
