"""A new database is made from a script, and an old one by revisions: both come out alike."""

import sqlite3
from contextlib import closing
from pathlib import Path

from trackstore.model import Experiment
from trackstore_backends.sql import schema
from trackstore_backends.sql.migrations.__main__ import script
from trackstore_backends.sqlite import SQLiteBackendStore


def test_the_script_is_what_the_revisions_make() -> None:
    """If it is not: `python -m trackstore_backends.sql.migrations > .../newest/sqlite.sql`."""
    assert (schema.NEWEST / "sqlite.sql").read_text() == script()


def test_a_new_database_has_the_newest_schema(tmp_path: Path) -> None:
    """B-MIG-02: and says so, so that no revision is applied to it again."""
    with SQLiteBackendStore.from_url(f"sqlite:///{tmp_path}/a.db") as store:
        store.create_experiment(Experiment("1", "a", "x:/", 1, 1))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        rows = connection.execute("select * from trackstore_version").fetchall()
    assert rows == [(schema.REVISIONS[-1],)]
