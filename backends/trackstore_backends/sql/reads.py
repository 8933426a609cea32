"""Reading experiments and runs.

A page costs the same few statements however many rows it has.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from trackstore.errors import NotFound
from trackstore.model import (
    Experiment,
    ExperimentCursor,
    LifecycleStage,
    Metric,
    Page,
    Run,
    RunStatus,
    from_order_image,
)
from trackstore_backends.sql import inputs
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import Sql, among, kept, packed

_EXPERIMENTS = (
    "select exp, id, name, artifact_location, creation_time, last_update_time, deleted "
    "from experiments where"
)
_RUNS = (
    "select r.run, r.id, e.id, r.start_time, r.artifact_uri, r.user_id, r.status, r.end_time, "
    "r.deleted_time, r.deleted + e.deleted "
    "from runs r join experiments e on e.exp = r.exp where"
)
_LATEST = (
    "select l.run, n.name, l.o, l.ts, l.step from latest l "
    f"cross join labels n where n.label = l.label and {among('l.run')}"
)
_TEXTS = [
    f"select t.run, n.name, t.value from {table} t "
    f"cross join labels n where n.label = t.label and {among('t.run')}"
    for table in ("params", "tags")
]
_STATUSES = {status.value: status for status in RunStatus}


def no_experiment(experiment_id: str) -> NotFound:
    return NotFound(f"there is no experiment {experiment_id[:64]!a}")


def no_run(run_id: str) -> NotFound:
    return NotFound(f"there is no run {run_id[:64]!a}")


def get_experiment(session: Session, experiment_id: str) -> Experiment:
    found = _experiments(session, f"{_EXPERIMENTS} id = ?", (kept(experiment_id),))
    if not found:
        raise no_experiment(experiment_id)
    return found[0]


def find_experiment(session: Session, name: str) -> Experiment:
    found = _experiments(session, f"{_EXPERIMENTS} live_name = ?", (kept(name),))
    if not found:
        raise NotFound(f"there is no living experiment named {name[:64]!a}")
    return found[0]


def scan_experiments(
    session: Session, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
) -> Page[Experiment, ExperimentCursor]:
    clauses: list[str] = ["1 = 1"]
    values: list[Any] = []
    if stage is not None:
        clauses.append("deleted = ?")
        values.append(int(stage is LifecycleStage.DELETED))
    if after is not None:
        clauses.append("creation_time <= ? and (creation_time < ? or id > ?)")
        values += [after[0], after[0], after[1]]
    sql = f"{_EXPERIMENTS} {' and '.join(clauses)} order by creation_time desc, id limit ?"
    found = _experiments(session, sql, [*values, limit + 1])
    page = found[:limit]
    more = len(found) > limit
    return Page(page, (page[-1].creation_time, page[-1].id) if more else None)


def _experiments(session: Session, sql: str, values: Sequence[Any]) -> list[Experiment]:
    rows = session.rows(sql, values)
    tags = texts(
        session.rows(
            "select t.exp, n.name, t.value from experiment_tags t "
            f"cross join labels n where n.label = t.label and {among('t.exp')}",
            (packed(row[0] for row in rows),),
        )
    )
    return [
        Experiment(ident, name, location, created, updated, stage_of(deleted), tags.get(exp, {}))
        for exp, ident, name, location, created, updated, deleted in rows
    ]


def get_run(session: Session, run_id: str) -> Run:
    found = _runs(session, session.rows(f"{_RUNS} r.id = ?", (kept(run_id),)))
    if not found:
        raise no_run(run_id)
    return found[0]


def get_runs(session: Session, numbers: Sequence[int]) -> list[Run]:
    """Return the runs that have these numbers, in the same order."""
    rows = session.rows(f"{_RUNS} {among('r.run')}", (packed(numbers),))
    by_number = {row[0]: row for row in rows}
    return _runs(session, [by_number[number] for number in numbers])


def _runs(session: Session, rows: Sequence[Row]) -> list[Run]:
    wanted = (packed(row[0] for row in rows),)
    latest, params_found, tags_found, *links = session.rows_of(
        [Sql(sql, wanted) for sql in (_LATEST, *_TEXTS, *inputs.QUERIES)]
    )
    metrics, params, tags = _latest(latest), texts(params_found), texts(tags_found)
    linked = inputs.linked(*links)
    return [
        Run(
            ident,
            experiment_id,
            start_time,
            artifact_uri,
            user_id,
            _STATUSES[status],
            end_time,
            deleted_time,
            stage_of(deleted),
            params.get(run, {}),
            tags.get(run, {}),
            metrics.get(run, {}),
            *linked.get(run, inputs.NOTHING),
        )
        for (
            run,
            ident,
            experiment_id,
            start_time,
            artifact_uri,
            user_id,
            status,
            end_time,
            deleted_time,
            deleted,
        ) in rows
    ]


def stage_of(deleted: int) -> LifecycleStage:
    return LifecycleStage.DELETED if deleted else LifecycleStage.ACTIVE


def texts(rows: Iterable[Row]) -> dict[Any, dict[str, str]]:
    """Return the texts of each owner by name, of rows of (owner, name, text)."""
    found: dict[Any, dict[str, str]] = defaultdict(dict)
    for owner, name, value in rows:
        found[owner][name] = value
    return found


def _latest(rows: Iterable[Row]) -> dict[int, dict[str, Metric]]:
    found: dict[int, dict[str, Metric]] = defaultdict(dict)
    for run, name, o, timestamp, step in rows:
        found[run][name] = Metric(name, from_order_image(o), timestamp, step)
    return found
