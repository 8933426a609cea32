"""Where the subjects of a benchmark keep their data: the same kind of database for all of them."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from driver import Driver

sys.path.append(str(Path(__file__).parents[1] / "tests"))


class Database(NamedTuple):
    """One kind of database."""

    name: str
    version: str
    make: Callable[[str], str]
    """Makes a database of a name, and returns trackstore's URL of it."""
    mlflows: Callable[[str], str]
    """Turns that into MLflow's."""

    def driver(self, url: str) -> Driver:
        return open_driver(self.name, url)


def open_driver(name: str, url: str) -> Driver:
    """Open the driver alone on a database, given by trackstore's URL."""
    if name == "sqlite":
        from driver_sqlite import SQLiteDriver

        return SQLiteDriver(Path(url.removeprefix("sqlite:///")))
    if name == "postgres":
        from driver_postgres import PostgresDriver

        return PostgresDriver(url)
    from driver_mariadb import MariaDBDriver

    return MariaDBDriver(url)


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    version = f"SQLite {sqlite3.sqlite_version}"
    numbers = count()

    def make(name: str) -> str:
        return f"sqlite:///{folder}/{name}-{next(numbers)}.db"

    yield Database("sqlite", version, make, str)


@contextmanager
def postgres(_: Path) -> Iterator[Database]:
    """Yield databases of a server of its own, which syncs every commit."""
    import psycopg

    from provision.postgres import PostgreSQL

    with PostgreSQL(durable=True) as server:
        with psycopg.connect(server.url("postgres")) as connection:
            version = connection.info.parameter_status("server_version")
        yield Database("postgres", f"PostgreSQL {version}", lambda _: server.fresh(), str)


@contextmanager
def mariadb(_: Path) -> Iterator[Database]:
    """Yield databases of a server of its own, which syncs every commit."""
    from provision.mariadb import MariaDB

    def mlflows(url: str) -> str:
        return url.replace("mysql:", "mysql+pymysql:", 1)

    with MariaDB(durable=True) as server:
        with server.connect() as connection:
            said = str(connection.get_server_info())
        version = said.removeprefix("5.5.5-").partition("-")[0]  # which it says for old clients
        yield Database("mariadb", f"MariaDB {version}", lambda _: server.fresh(), mlflows)


DATABASES = {"sqlite": sqlite, "postgres": postgres, "mariadb": mariadb}
