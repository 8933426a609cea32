"""What a damaged reply makes of a driver's code is a broken connection, and no odd exception."""

import struct
import types

import pytest

from trackstore.errors import NotFound, Unavailable
from trackstore_backends.mysql import MySQLDatabase
from trackstore_backends.postgres import PostgresDatabase
from trackstore_backends.sql import urls
from trackstore_backends.sql.database import Database

ADDRESS = urls.parsed("any://user@127.0.0.1/database", 1)


@pytest.mark.parametrize(
    ("database", "package"),
    [(PostgresDatabase(ADDRESS), "psycopg_binary"), (MySQLDatabase(ADDRESS), "pymysql.protocol")],
)
@pytest.mark.parametrize("kind", [struct.error, ValueError, IndexError])
def test_an_odd_exception_of_a_driver(
    database: Database, package: str, kind: type[Exception]
) -> None:
    """At a commit its outcome is unknown; what a store refuses stays as it is."""
    driver = types.ModuleType(package)
    exec("def fail(error):\n    raise error", driver.__dict__)
    with pytest.raises(kind) as raised:
        driver.fail(kind("odd"))
    found = database.translated(raised.value, "commit")
    assert isinstance(found, Unavailable)
    assert found.outcome == "unknown"
    assert database.translated(NotFound("there is no run"), "commit") is None
