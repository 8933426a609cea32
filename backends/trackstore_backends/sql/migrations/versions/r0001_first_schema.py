"""The first schema.

Experiments, runs and keys have an integer each (`exp`, `run`, `label`), by which all else refers
to them.  Tables that are read by run are clustered by it.  A metric value is kept as `o`, the
integer that sorts as the double does (`trackstore.model.order_image`), since no database keeps
and sorts every double.  Long text is indexed by its first 250 code points.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def number(name: str, *, key: bool = False) -> sa.Column[int]:
    """Return a column for an integer that we number rows by."""
    return sa.Column(name, sa.Integer, primary_key=key, autoincrement=False, nullable=False)


def numbered(name: str) -> sa.Column[int]:
    """Return the column that the database numbers the rows by."""
    return sa.Column(name, sa.Integer, primary_key=True)


def big(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    """Return a column for any int64."""
    return sa.Column(name, sa.BigInteger, primary_key=key, autoincrement=False, nullable=nullable)


def text(name: str, length: int, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Return a column for text, which is compared code point by code point."""
    return sa.Column(name, sa.String(length), primary_key=key, nullable=nullable)


def long_text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def flag(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def clustered(name: str, *columns: sa.Column[int] | sa.Column[str]) -> None:
    """Make a table that is stored in the order of its primary key."""
    op.create_table(name, *columns, sqlite_with_rowid=False)


def upgrade() -> None:
    make_experiments()
    make_runs()
    make_metrics()
    make_params_and_tags()
    make_inputs_and_outputs()


def make_experiments() -> None:
    op.create_table(
        "experiments",
        numbered("exp"),
        text("id", 64),
        text("name", 500),
        text("live_name", 500, nullable=True),  # the name while it lives, and so is unique
        text("artifact_location", 2048),
        big("creation_time"),
        big("last_update_time"),
        flag("deleted"),
    )
    op.create_index("experiments_by_id", "experiments", ["id"], unique=True)
    op.create_index("experiments_by_live_name", "experiments", ["live_name"], unique=True)
    newest_first = sa.text("creation_time DESC")
    op.create_index("experiments_by_age", "experiments", [newest_first, "id"])
    clustered(
        "experiment_tags", number("exp", key=True), number("label", key=True), long_text("value")
    )


def make_runs() -> None:
    op.create_table(
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
        text("artifact_uri", 4096),
    )
    op.create_index("runs_by_id", "runs", ["id"], unique=True)
    op.create_index("runs_by_start", "runs", ["exp", sa.text("start_time DESC"), "id", "deleted"])
    # The keys of metrics, params and tags.
    op.create_table("labels", numbered("label"), text("name", 250))
    op.create_index("labels_by_name", "labels", ["name"], unique=True)


def make_metrics() -> None:
    clustered("points", *point())
    clustered(
        "point_links",
        *point(),
        text("model_id", 250, key=True),
        text("dataset_name", 500, key=True),
        text("dataset_digest", 36, key=True),
    )
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
    op.create_index("latest_by_value", "latest", ordered)


def point() -> tuple[sa.Column[int], ...]:
    return (
        number("run", key=True),
        number("label", key=True),
        big("step", key=True),
        big("ts", key=True),
        big("o", key=True),
    )


def make_params_and_tags() -> None:
    for table in ("params", "tags"):
        clustered(
            table,
            number("run", key=True),
            number("label", key=True),
            number("exp"),
            long_text("value"),
        )
        op.create_index(
            f"{table}_by_value", table, ["exp", "label", sa.text("substr(value, 1, 250)")]
        )


def make_inputs_and_outputs() -> None:
    op.create_table(
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
    op.create_index("datasets_by_name", "datasets", ["exp", "name", "digest"], unique=True)
    op.create_table("inputs", numbered("input"), number("run"), number("dataset"))
    op.create_index("inputs_by_run", "inputs", ["run", "dataset"], unique=True)
    clustered(
        "input_tags", number("input", key=True), text("name", 255, key=True), text("value", 500)
    )
    op.create_table("model_inputs", numbered("place"), number("run"), text("model_id", 250))
    op.create_index("model_inputs_by_run", "model_inputs", ["run", "model_id"], unique=True)
    op.create_table("outputs", numbered("place"), number("run"), text("model_id", 250), big("step"))
    op.create_index("outputs_by_run", "outputs", ["run", "model_id", "step"], unique=True)
