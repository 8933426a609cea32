"""Which schema a database has, and how it gets the newest.

`migrations/versions/` makes the tables and changes them.  What they come to is also kept as a
script, from which a new database is made: importing alembic takes a third of a second, and a
server's first start is no time for that.
"""

from pathlib import Path

from trackstore.errors import Unsupported
from trackstore.model import SchemaChange
from trackstore_backends.sql.database import Connection, Database, Session

VERSION_TABLE = "trackstore_version"
REVISIONS = ("0001", "0002", "0003")
"""All revisions that this code knows, the newest last."""
NEWEST = Path(__file__).parent / "migrations" / "newest"
"""Has the script of the newest schema, by dialect."""


def revision_of(database: Database, session: Session) -> str | None:
    """Return which schema there is, if any, in a session that sees one instant.

    Raises `Unsupported` if it is newer than this code, or another program's.
    """
    if not database.has_table(session, VERSION_TABLE):
        if database.has_table(session, "experiments"):
            raise Unsupported(
                "the database belongs to another program, such as MLflow; "
                "give trackstore a database of its own"
            )
        return None
    found = session.row(f"select version_num from {VERSION_TABLE}")
    if found is not None and found[0] not in REVISIONS:
        raise Unsupported(
            f"the database has schema {found[0]!r}, made by a newer trackstore; this one knows "
            f"schemas up to {REVISIONS[-1]!r}, so upgrade trackstore"
        )
    return None if found is None else found[0]


def upgrade(database: Database, connection: Connection) -> SchemaChange:
    """Make the tables, or apply the missing revisions, while nobody else does."""
    session = database.session(connection)
    before = revision_of(database, session)
    if before != REVISIONS[-1]:  # otherwise another process was faster
        _apply(database, connection)
    return SchemaChange(before, REVISIONS[-1])


def _apply(database: Database, connection: Connection) -> None:
    session = database.session(connection)
    script = NEWEST / f"{database.dialect}.sql"
    if script.exists() and not database.has_table(session, VERSION_TABLE):
        for statement in script.read_text().splitlines():
            session.run(statement)
        return
    from trackstore_backends.sql import migrations  # noqa: PLC0415 - see above

    migrations.upgrade(database.dialect, connection)
