"""Sealed chunks: thousands of points of a metric in a row, compressed.

`trackstore_backends.sql.chunks` says what is in the columns of bytes.  Every run that has ended is
noted down as not sealed yet, so that the points of old databases are packed little by little.
"""

import sqlalchemy as sa
from alembic import op

from trackstore_backends.sql.migrations.columns import (
    big,
    clustered,
    index,
    number,
    numbered,
    table,
)

revision = "0002"
down_revision = "0001"


def packed(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    table(
        "chunks",
        numbered("chunk"),
        number("run"),
        number("label"),
        big("last_step"),
        big("last_ts"),
        big("last_o"),
        big("first_step"),
        big("first_ts"),
        big("first_o"),
        number("points"),
        packed("summary"),
        packed("steps"),
        packed("stamps"),
        packed("doubles"),
        big("checksum"),
    )
    index(
        "chunks_by_end", "chunks", ["run", "label", "last_step", "last_ts", "last_o"], unique=True
    )
    clustered("unsealed", number("run", key=True))  # runs that have ended
    op.execute(
        "insert into unsealed (run) "
        "select run from runs where status in ('FINISHED', 'FAILED', 'KILLED') "
        "and run not in (select run from (select run from unsealed) known)"
    )
