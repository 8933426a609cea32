"""Reading logged models, and the points that are about them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from trackstore.errors import NotFound
from trackstore.model import LifecycleStage, Metric, Page, from_order_image
from trackstore.registered import LoggedModel, LoggedModelCursor, LoggedModelStatus, ModelMetric
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import Sql, all_of, among, kept, packed
from trackstore_backends.sql.reads import stage_of, texts

_MODELS = Sql(
    "select m.logged, m.id, e.id, m.name, m.creation_time, m.last_update_time, m.artifact_uri, "
    "m.source_run_id, m.model_type, m.status, m.status_message, m.deleted "
    "from logged_models m join experiments e on e.exp = m.exp where "
)
_TEXTS = [
    f"select t.logged, n.name, t.value from {table} t "
    f"cross join labels n where n.label = t.label and {among('t.logged')}"
    for table in ("logged_model_params", "logged_model_tags")
]
_ABOUT = "model_id, run, label, dataset_name, dataset_digest"
_METRICS = (
    "select p.model_id, r.id, n.name, p.dataset_name, p.dataset_digest, p.o, p.ts, p.step "
    f"from (select {_ABOUT}, o, ts, step, row_number() over (partition by {_ABOUT} "
    f"order by step desc, ts desc, o desc) as place from point_links where {among('model_id')}) p "
    "cross join runs r cross join labels n "
    "where p.place = 1 and r.run = p.run and n.label = p.label"
)
_STATUSES = {status.value: status for status in LoggedModelStatus}


def no_model(model_id: str) -> NotFound:
    return NotFound(f"there is no logged model {model_id[:64]!a}")


def get_model(session: Session, model_id: str) -> LoggedModel:
    found = _models(session, session.rows(*_MODELS + Sql("m.id = ?", (kept(model_id),))))
    if not found:
        raise no_model(model_id)
    return found[0]


def scan_models(
    session: Session,
    experiment_id: str,
    run_id: str | None,
    stage: LifecycleStage | None,
    *,
    after: LoggedModelCursor | None,
    limit: int,
) -> Page[LoggedModel, LoggedModelCursor]:
    row = session.row("select exp from experiments where id = ?", (kept(experiment_id),))
    if row is None:
        return Page(())
    wanted = [Sql("m.exp = ?", row)]
    if run_id is not None:
        wanted.append(Sql("m.source_run_id = ?", (kept(run_id),)))
    if stage is not None:
        wanted.append(Sql("m.deleted = ?", (int(stage is LifecycleStage.DELETED),)))
    if after is not None:
        passed = "m.creation_time <= ? and (m.creation_time < ? or m.id > ?)"
        wanted.append(Sql(passed, (after[0], *after)))
    order = Sql(" order by m.creation_time desc, m.id limit ?", (limit + 1,))
    rows = session.rows(*_MODELS + all_of(wanted) + order)
    found = _models(session, rows[:limit])
    more = len(rows) > limit
    return Page(found, (found[-1].creation_time, found[-1].id) if more else None)


def _models(session: Session, rows: Sequence[Row]) -> list[LoggedModel]:
    numbers, ids = packed(row[0] for row in rows), packed(row[1] for row in rows)
    params_found, tags_found, metrics_found = session.rows_of(
        [*(Sql(sql, (numbers,)) for sql in _TEXTS), Sql(_METRICS, (ids,))]
    )
    params, tags, metrics = texts(params_found), texts(tags_found), _metrics(metrics_found)
    found = []
    for number, *fields, status, message, deleted in rows:
        about = tuple(metrics[fields[0]])
        fields += [_STATUSES[status], message, stage_of(deleted)]
        fields += [params.get(number, {}), tags.get(number, {}), about]
        found.append(LoggedModel(*fields))
    return found


def _metrics(rows: Iterable[Row]) -> dict[Any, list[ModelMetric]]:
    found: dict[Any, list[ModelMetric]] = defaultdict(list)
    for model_id, run_id, key, name, digest, o, timestamp, step in sorted(rows):
        point = Metric(key, from_order_image(o), timestamp, step)
        found[model_id].append(ModelMetric(run_id, point, name, digest))
    return found
