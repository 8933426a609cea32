"""The first schema.

Experiments, runs and keys have an integer each (`exp`, `run`, `label`), by which all else refers
to them.  Tables that are read by run are clustered by it.  A metric value is kept as `o`, the
integer that sorts as the double does (`trackstore.model.order_image`), since no database keeps
and sorts every double.  Long text is indexed by its first 250 code points.
"""

from typing import Any

import sqlalchemy as sa

from trackstore_backends.sql.migrations.columns import (
    big,
    clustered,
    exact,
    flag,
    index,
    is_mysql,
    is_sqlite,
    long_text,
    number,
    numbered,
    table,
    text,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    make_experiments()
    make_runs()
    make_metrics()
    make_params_and_tags()
    make_inputs_and_outputs()


def make_experiments() -> None:
    table(
        "experiments",
        numbered("exp"),
        text("id", 64),
        text(
            "name", 600
        ),  # longer than the front lets through, for whoever puts a prefix before it
        text("live_name", 600, nullable=True),  # the name while it lives, and so is unique
        long_text("artifact_location"),
        big("creation_time"),
        big("last_update_time"),
        flag("deleted"),
    )
    index("experiments_by_id", "experiments", ["id"], unique=True)
    index("experiments_by_live_name", "experiments", ["live_name"], unique=True)
    newest_first = sa.text("creation_time DESC")
    index("experiments_by_age", "experiments", [newest_first, "id"])
    clustered(
        "experiment_tags", number("exp", key=True), number("label", key=True), long_text("value")
    )


def make_runs() -> None:
    table(
        "runs",
        numbered("run"),
        text("id", 64),
        number("exp"),
        flag("deleted"),  # its own stage; a run is also deleted while its experiment is
        text("status", 16),
        text("user_id", 256),
        big("start_time"),
        big("end_time", nullable=True),
        big("deleted_time", nullable=True),
        long_text("artifact_uri"),
    )
    index("runs_by_id", "runs", ["id"], unique=True)
    index("runs_by_start", "runs", ["exp", sa.text("start_time DESC"), "id", "deleted"])
    # The keys of metrics, params and tags.
    table("labels", numbered("label"), text("name", 250))
    index("labels_by_name", "labels", ["name"], unique=True)


def make_metrics() -> None:
    clustered("points", *point())
    make_point_links()
    clustered(
        "latest",  # of the points of a run and key, the greatest by (step, ts, o)
        number("run", key=True),
        number("label", key=True),
        number("exp"),
        big("step"),
        big("ts"),
        big("o"),
        big("start_time"),
    )
    ordered: list[str | sa.TextClause] = ["exp", "label", "o", sa.text("start_time DESC")]
    index("latest_by_value", "latest", ordered)


def make_point_links() -> None:
    """Make the table of what points are about.

    All of a link is in its key, which is more than an index of the servers can hold: theirs have
    a digest instead.  Whoever finds two links of one digest loses his own second one.
    """
    in_key = is_sqlite()
    columns: list[sa.Column[Any]] = [
        *point(key=in_key),
        text("model_id", 250, key=in_key),
        text("dataset_name", 500, key=in_key),
        text("dataset_digest", 36, key=in_key),
    ]
    digest = "md5(model_id || '/' || dataset_name || '/' || dataset_digest)"
    if is_mysql():
        digest = "md5(concat(model_id, '/', dataset_name, '/', dataset_digest))"
        columns.append(sa.Column("link", sa.CHAR(32), sa.Computed(digest, persisted=True)))
        digest = "link"
    if in_key:
        clustered("point_links", *columns)
    else:
        table("point_links", *columns)
        unique: list[str | sa.TextClause] = ["run", "label", "step", "ts", "o", sa.text(digest)]
        index("point_links_by_all", "point_links", unique, unique=True)


def point(*, key: bool = True) -> tuple[sa.Column[int], ...]:
    return (
        number("run", key=key),
        number("label", key=key),
        big("step", key=key),
        big("ts", key=key),
        big("o", key=key),
    )


def make_params_and_tags() -> None:
    for name in ("params", "tags"):
        clustered(
            name,
            number("run", key=True),
            number("label", key=True),
            number("exp"),
            long_text("value"),
            *([head_of_value()] if is_mysql() else []),
        )
        head = "head" if is_mysql() else "substr(value, 1, 250)"
        index(f"{name}_by_value", name, ["exp", "label", sa.text(head)])


def head_of_value() -> sa.Column[str]:
    """Return what is indexed of a long value where an index can have no expression."""
    return sa.Column("head", exact(sa.String(250)), sa.Computed("left(value, 250)"))


def make_inputs_and_outputs() -> None:
    table(
        "datasets",
        numbered("dataset"),
        number("exp"),
        text("name", 500),
        text("digest", 36),
        text("source_type", 36),
        long_text("source"),
        long_text("schema_text", nullable=True),
        long_text("profile", nullable=True),
    )
    index("datasets_by_name", "datasets", ["exp", "name", "digest"], unique=True)
    table("inputs", numbered("input"), number("run"), number("dataset"))
    index("inputs_by_run", "inputs", ["run", "dataset"], unique=True)
    clustered(
        "input_tags", number("input", key=True), text("name", 255, key=True), text("value", 500)
    )
    table("model_inputs", numbered("place"), number("run"), text("model_id", 250))
    index("model_inputs_by_run", "model_inputs", ["run", "model_id"], unique=True)
    table("outputs", numbered("place"), number("run"), text("model_id", 250), big("step"))
    index("outputs_by_run", "outputs", ["run", "model_id", "step"], unique=True)
