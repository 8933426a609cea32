"""The points of a metric."""

from collections import defaultdict

from trackstore.model import (
    Metric,
    MetricCursor,
    MetricLink,
    Page,
    from_order_image,
    order_image,
)
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import kept
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.reads import no_run


def read(
    session: Session,
    labels: Labels,
    run_id: str,
    key: str,
    *,
    after: MetricCursor | None,
    limit: int,
) -> Page[Metric, MetricCursor]:
    run = session.row("select run from runs where id = ?", (kept(run_id),))
    if run is None:
        raise no_run(run_id)
    label = labels.find(session, [key]).get(key)
    series = (run[0], label)
    beyond, start = "", []
    if after is not None:
        beyond, start = "and (step, ts, o) > (?, ?, ?)", [*after[:2], order_image(after[2])]
    rows = session.rows(
        f"select step, ts, o from points where run = ? and label = ? {beyond} "
        "order by step, ts, o limit ?",
        (*series, *start, limit + 1),
    )
    points = _points(session, series, key, rows[:limit])
    last = points[-1] if len(rows) > limit else None
    return Page(points, None if last is None else (last.step, last.timestamp, last.value))


def _points(
    session: Session, series: tuple[int, int | None], key: str, rows: list[Row]
) -> list[Metric]:
    if not rows:
        return []
    links: dict[Row, list[MetricLink]] = defaultdict(list)
    for step, timestamp, o, *fields in session.rows(
        "select step, ts, o, model_id, dataset_name, dataset_digest from point_links "
        "where run = ? and label = ? and (step, ts, o) >= (?, ?, ?) and (step, ts, o) <= (?, ?, ?) "
        "order by model_id, dataset_name, dataset_digest",
        (*series, *rows[0], *rows[-1]),
    ):
        links[step, timestamp, o].append(MetricLink(*fields))
    if not links:
        return [Metric(key, from_order_image(o), ts, step) for step, ts, o in rows]
    return [
        Metric(key, from_order_image(o), ts, step, tuple(links.get((step, ts, o), ())))
        for step, ts, o in rows
    ]
