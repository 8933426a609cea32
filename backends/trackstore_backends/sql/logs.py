"""The `log` calls of a group, applied by a few statements for all of them.

Refusals are found first, in bulk, so that the statements after them cannot fail for one caller:
a refused batch leaves nothing and never takes its neighbours with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trackstore.errors import Conflict, InvalidState, TrackstoreError
from trackstore.model import Applied, Batch, order_image
from trackstore_backends.sql import inputs
from trackstore_backends.sql.database import PlainLogs, Session
from trackstore_backends.sql.fragments import Sql, among, kept, one_of, packed
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.reads import no_run

Cell = tuple[int, int]
"""(run, label)"""
Point = tuple[int, int, int, int, int]
"""(run, label, step, timestamp, order image of the value)"""


Verdict = Applied | TrackstoreError


class Log(NamedTuple):
    run_id: str
    batch: Batch


class _Run(NamedTuple):
    run: int
    exp: int
    start_time: int
    deleted: int


class _Accepted(NamedTuple):
    place: int
    run: _Run
    batch: Batch


def apply(session: Session, labels: Labels, logs: Sequence[Log]) -> list[Verdict]:
    runs = _find_runs(session, {log.run_id for log in logs})
    verdicts = verdicts_on(logs, {ident: run.deleted for ident, run in runs.items()})
    batches = [
        _Accepted(place, runs[log.run_id], log.batch)
        for place, (log, verdict) in enumerate(zip(logs, verdicts, strict=True))
        if isinstance(verdict, Applied)
    ]
    numbers = labels.assign(session, _names(batches))
    batches = _write_params(session, numbers, batches, verdicts)
    if any(batch.tags or batch.deleted_tags for _, _, batch in batches):
        _write_tags(session, numbers, batches, verdicts)
    _write_metrics(session, numbers, batches)
    for _, run, batch in batches:
        if batch.inputs or batch.model_inputs or batch.outputs:
            inputs.write(session, run.run, run.exp, batch)
    return verdicts


def plain(labels: Labels, logs: Sequence[Any]) -> PlainLogs | None:
    """Return the points of a group of calls, if that is all there is to write."""
    known = labels.known
    columns = PlainLogs([], [], [], [], [])
    for log in logs:
        if not isinstance(log, Log) or not _has_only_points(log.batch):
            return None
        run_id = kept(log.run_id)
        for metric in log.batch.metrics:
            label = known.get(metric.key)
            if label is None or metric.links:
                return None
            columns.run_ids.append(run_id)
            columns.labels.append(label)
            columns.steps.append(metric.step)
            columns.timestamps.append(metric.timestamp)
            columns.images.append(order_image(metric.value))
    return columns


def _has_only_points(batch: Batch) -> bool:
    return bool(batch.metrics) and not (
        batch.params
        or batch.tags
        or batch.deleted_tags
        or batch.inputs
        or batch.model_inputs
        or batch.outputs
    )


def verdicts_on(logs: Sequence[Log], stages: Mapping[str, int]) -> list[Verdict]:
    """Return what became of plain logs, given the runs that there are, 0 for the active ones."""
    return [_verdict(log.run_id, stages.get(log.run_id)) for log in logs]


def _verdict(run_id: str, deleted: int | None) -> Verdict:
    if deleted is None:
        return no_run(run_id)
    if deleted:
        return InvalidState(f"run {run_id} is deleted")
    return Applied()


def write_tags(session: Session, rows: Sequence[tuple[int, int, int, str]]) -> None:
    """Set tags, given as (run, label, exp, value)."""
    session.run_many(
        "insert into tags (run, label, exp, value) values (?, ?, ?, ?) "
        "on conflict (run, label) do update set value = excluded.value",
        rows,
    )


def _find_runs(session: Session, ids: set[str]) -> dict[str, _Run]:
    sql = Sql(
        "select r.id, r.run, r.exp, r.start_time, r.deleted + e.deleted "
        "from runs r join experiments e on e.exp = r.exp where "
    )
    sql += one_of("r.id", ids) + Sql(" order by r.run for share")
    return {row[0]: _Run(*row[1:]) for row in session.rows(*sql)}


def _names(batches: Sequence[_Accepted]) -> set[str]:
    names: set[str] = set()
    for _, _, batch in batches:
        names.update([metric.key for metric in batch.metrics])
        names.update(batch.params, batch.tags, batch.deleted_tags)
    return names


def _read_cells(session: Session, table: str, cells: set[Cell]) -> dict[Cell, str]:
    """Return the values that are stored in `cells`, and perhaps some beside them."""
    if not cells:
        return {}
    rows = session.rows(
        f"select run, label, value from {table} where {among('run')} and {among('label')}",
        (packed({run for run, _ in cells}), packed({label for _, label in cells})),
    )
    return {(run, label): value for run, label, value in rows}


def _write_params(
    session: Session,
    numbers: dict[str, int],
    batches: list[_Accepted],
    verdicts: list[Verdict],
) -> list[_Accepted]:
    """Write the params of the batches that contradict nothing, and return these batches."""
    cells = {(run.run, numbers[name]) for _, run, batch in batches for name in batch.params}
    if not cells:
        return batches
    stored = _read_cells(session, "params", cells)
    rows: list[tuple[int, int, int, str]] = []
    kept = []
    for accepted in batches:
        place, run, batch = accepted
        given = {(run.run, numbers[name]): value for name, value in batch.params.items()}
        clash = _clash(numbers, run, batch, stored)
        if clash is None:
            rows += [(*cell, run.exp, value) for cell, value in given.items() if cell not in stored]
            stored |= given
            kept.append(accepted)
        else:
            verdicts[place] = Conflict(
                f"param {clash!r} has another value already; a param is written once"
            )
    session.run_many("insert into params (run, label, exp, value) values (?, ?, ?, ?)", rows)
    return kept


def _clash(numbers: dict[str, int], run: _Run, batch: Batch, stored: dict[Cell, str]) -> str | None:
    for name, value in batch.params.items():
        if stored.get((run.run, numbers[name]), value) != value:
            return name
    return None


def _write_tags(
    session: Session,
    numbers: dict[str, int],
    batches: Sequence[_Accepted],
    verdicts: list[Verdict],
) -> None:
    cells = {(run.run, numbers[name]) for _, run, batch in batches for name in batch.deleted_tags}
    present = {cell for cell in sorted(cells) if _delete_tag(session, cell)}
    values: dict[Cell, tuple[int, str]] = {}
    for place, run, batch in batches:
        absent = []
        for name in dict.fromkeys(batch.deleted_tags):
            cell = run.run, numbers[name]
            if values.pop(cell, None) is None and cell not in present:
                absent.append(name)
            present.discard(cell)
        verdicts[place] = Applied(absent_tags=tuple(absent))
        values.update(
            ((run.run, numbers[name]), (run.exp, text)) for name, text in batch.tags.items()
        )
    write_tags(session, [(*cell, *value) for cell, value in values.items()])


def _delete_tag(session: Session, cell: Cell) -> bool:
    """Delete a tag and tell if it was there, which asking before could get wrong."""
    return session.run("delete from tags where run = ? and label = ?", cell) > 0


def _write_metrics(session: Session, numbers: dict[str, int], batches: Sequence[_Accepted]) -> None:
    points: list[Point] = []
    links: list[tuple[int | str, ...]] = []
    for _, run, batch in batches:
        added = [
            (run.run, numbers[metric.key], metric.step, metric.timestamp, order_image(metric.value))
            for metric in batch.metrics
        ]
        points += added
        links += [
            (*point, link.model_id, link.dataset_name, link.dataset_digest)
            for point, metric in zip(added, batch.metrics, strict=True)
            for link in metric.links
        ]
    session.run_many(_ADD_POINT, points)
    session.run_many(_UPDATE_LATEST, _latest(points, {run.run: run for _, run, _ in batches}))
    session.run_many(
        "insert into point_links (run, label, step, ts, o, model_id, dataset_name, dataset_digest) "
        "values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        links,
    )


def _latest(points: Sequence[Point], runs: Mapping[int, _Run]) -> list[tuple[int, ...]]:
    """Return, for each run and label, the row of the greatest point."""
    greatest: dict[Cell, Point] = {}
    for point in points:
        cell = point[:2]
        known = greatest.get(cell)
        if known is None or known < point:
            greatest[cell] = point
    return [(*point, runs[point[0]].exp, runs[point[0]].start_time) for point in greatest.values()]


_ADD_POINT = """
insert into points (run, label, step, ts, o) values (?, ?, ?, ?, ?) on conflict do nothing
"""
_UPDATE_LATEST = """
insert into latest (run, label, step, ts, o, exp, start_time) values (?, ?, ?, ?, ?, ?, ?)
on conflict (run, label) do update set step = excluded.step, ts = excluded.ts, o = excluded.o
where (excluded.step, excluded.ts, excluded.o) > (latest.step, latest.ts, latest.o)
"""
