"""Pages of the points of a metric."""

from collections import defaultdict
from itertools import repeat

from trackstore.model import (
    Metric,
    MetricColumns,
    MetricCursor,
    MetricLink,
    Page,
    order_image,
)
from trackstore_backends.sql import series
from trackstore_backends.sql.chunks import Columns, Key
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.series import Series


def read(
    session: Session,
    labels: Labels,
    run_id: str,
    key: str,
    *,
    after: MetricCursor | None,
    limit: int,
) -> Page[Metric, MetricCursor]:
    found = series.find(session, labels, run_id, key)
    columns, following = _page(session, found, after, limit)
    links = _links(session, found, columns)
    if not links:
        return Page(
            list(map(Metric, repeat(key), columns.values, columns.timestamps, columns.steps)),
            following,
        )
    linked = (tuple(links.get(each, ())) for each in columns.points())
    rows = zip(columns.values, columns.timestamps, columns.steps, linked, strict=True)
    return Page([Metric(key, *row) for row in rows], following)


def read_columns(
    session: Session,
    labels: Labels,
    run_id: str,
    key: str,
    *,
    after: MetricCursor | None,
    limit: int,
) -> MetricColumns[MetricCursor]:
    found = series.find(session, labels, run_id, key)
    columns, following = _page(session, found, after, limit)
    return MetricColumns(*columns, following)


def _page(
    session: Session, found: Series, after: MetricCursor | None, limit: int
) -> tuple[Columns, MetricCursor | None]:
    start = None if after is None else (after[0], after[1], order_image(after[2]))
    columns = series.first_of(series.points_after(session, found, start, limit + 1), limit + 1)
    if len(columns.steps) <= limit:
        return columns, None
    page = columns.part(0, limit)
    return page, (page.steps[-1], page.timestamps[-1], page.values[-1])


def _links(session: Session, found: Series, columns: Columns) -> dict[Key, list[MetricLink]]:
    links: dict[Key, list[MetricLink]] = defaultdict(list)
    if columns.steps:
        for step, timestamp, o, *fields in session.rows(
            "select step, ts, o, model_id, dataset_name, dataset_digest from point_links "
            "where run = ? and label = ? "
            "and (step, ts, o) >= (?, ?, ?) and (step, ts, o) <= (?, ?, ?) "
            "order by model_id, dataset_name, dataset_digest",
            (*found, *columns.key(0), *columns.key(-1)),
        ):
            links[step, timestamp, o].append(MetricLink(*fields))
    return links
