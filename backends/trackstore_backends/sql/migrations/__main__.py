"""Print the newest schema of SQLite as a script: `python -m trackstore_backends.sql.migrations`.

Its output is kept as `newest/sqlite.sql`, from which a new database is made; a test holds the two
equal.
"""

import sqlite3
import sys
from contextlib import closing

from trackstore_backends.sql import migrations
from trackstore_backends.sql.schema import VERSION_TABLE


def script() -> str:
    """Return the statements that make a database as the revisions would."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations.upgrade("sqlite", connection)
        rows = connection.execute("select sql from sqlite_master where sql is not null")
        statements = [" ".join(sql.split()) for (sql,) in rows]
        (version,) = connection.execute(f"select version_num from {VERSION_TABLE}").fetchone()
    statements.append(f"INSERT INTO {VERSION_TABLE} VALUES ('{version}')")
    return "".join(f"{statement};\n" for statement in statements)


if __name__ == "__main__":
    sys.stdout.write(script())
