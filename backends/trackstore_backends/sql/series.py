"""The points of one run and key, as they lie: some loose, one a row, and most in sealed chunks.

A point may be in both: a batch that is sent again brings back what was sealed since.  Chunks of
one key never overlap, so that they are in the order of their last points.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trackstore_backends.sql.chunks import Chunk, Columns, Key, checked, columns_of, decoded
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import Sql, kept, one_of
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.reads import no_run

PORTION = 16
"""How many chunks are fetched at once."""

COLUMNS = ", ".join(Chunk._fields)
OUTLINE = ", ".join(Chunk._fields[:8])
NOT_READ: Row = (b"", b"", b"", 0)
BEYOND = "last_step >= ? and (last_step > ? or last_ts > ? or last_ts = ? and last_o > ?)"


class Series(NamedTuple):
    run: int
    label: int | None


def find(session: Session, labels: Labels, run_id: str, key: str) -> Series:
    """Return where the points of a key are; `NotFound` if there is no such run."""
    run = session.row("select run from runs where id = ?", (kept(run_id),))
    if run is None:
        raise no_run(run_id)
    return Series(run[0], labels.find(session, [key]).get(key))


def loose_after(session: Session, series: Series, after: Key | None, limit: int) -> list[Key]:
    """Return the first loose points beyond one.

    Each statement walks the primary key: one comparison of all three columns would not, on every
    database.
    """
    if after is None:
        return _loose(session, series, "", (), limit)
    step, timestamp, _ = after
    found = _loose(session, series, "and step = ? and ts = ? and o > ?", after, limit)
    if len(found) < limit:
        least = limit - len(found)
        found += _loose(session, series, "and step = ? and ts > ?", (step, timestamp), least)
    if len(found) < limit:
        found += _loose(session, series, "and step > ?", (step,), limit - len(found))
    return found


def _five(after: Key) -> Row:
    """Return the values of `BEYOND`."""
    step, timestamp, o = after
    return step, step, timestamp, timestamp, o


def _loose(session: Session, series: Series, where: str, values: Row, limit: int) -> list[Key]:
    return session.rows(
        f"select step, ts, o from points where run = ? and label = ? {where} "
        "order by step, ts, o limit ?",
        (*series, *values, limit),
    )


def chunks_after(session: Session, series: Series, after: Key | None) -> Iterator[Chunk]:
    """Yield the chunks that have points beyond one, in order."""
    while True:
        where, values = ("", ()) if after is None else (f"and {BEYOND}", _five(after))
        rows = session.rows(
            f"select {COLUMNS} from chunks where run = ? and label = ? {where} "
            "order by last_step, last_ts, last_o limit ?",
            (*series, *values, PORTION),
        )
        yield from (found := [Chunk(*row) for row in rows])
        if len(found) < PORTION:
            return
        after = found[-1].last


def outlines(
    session: Session, series: Series, first_step: int, last_step: int
) -> list[tuple[int, Chunk]]:
    """Return the chunks that may have points of some steps, with their summaries alone."""
    rows = session.rows(
        f"select chunk, {OUTLINE} from chunks where run = ? and label = ? "
        "and last_step >= ? and first_step <= ? order by last_step, last_ts, last_o",
        (*series, first_step, last_step),
    )
    return [(row[0], Chunk(*row[1:], *NOT_READ)) for row in rows]


def wholes(session: Session, numbers: Sequence[int]) -> Iterator[tuple[int, Chunk]]:
    """Yield whole chunks by their numbers, in no order."""
    query = Sql(f"select chunk, {COLUMNS} from chunks where ") + one_of("chunk", numbers)
    for number, *row in session.rows(*query):
        yield number, checked(Chunk(*row))


def points_after(
    session: Session, series: Series, after: Key | None, limit: int
) -> Iterator[Columns]:
    """Yield the first `limit` points beyond one, or a few more, in parts."""
    loose = loose_after(session, series, after, limit)
    found = 0
    for chunk in chunks_after(session, series, after):
        start = bisect_left(loose, chunk.first)
        end = bisect_right(loose, chunk.last)
        yield columns_of(loose[:start])
        whole = merged(chunk, loose[start:end])
        part = whole.part(place_after(whole, after), len(whole.steps))
        yield part
        loose = loose[end:]
        found += start + len(part.steps)
        if found >= limit:
            return
    yield columns_of(loose)


def merged(chunk: Chunk, loose: list[Key]) -> Columns:
    """Return the points of a chunk and those loose ones that lie among them, each once."""
    columns = decoded(chunk)
    return columns_of(sorted({*columns.points(), *loose})) if loose else columns


def place_after(columns: Columns, after: Key | None) -> int:
    """Return the place of the first point beyond one."""
    if after is None or after < columns.key(0):
        return 0
    return bisect_right(range(len(columns.steps)), after, key=columns.key)


def first_of(parts: Iterator[Columns], limit: int) -> Columns:
    """Return the first `limit` points of some parts."""
    whole = columns_of(())
    for part in parts:
        whole.extend(part.part(0, limit - len(whole.steps)))
    return whole
