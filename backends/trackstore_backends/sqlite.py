"""`sqlite:///relative.db` and `sqlite:////absolute/path.db`: a backend store in one file."""

import random
import re
import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Self

from trackstore.errors import (
    BackendError,
    InvalidRequest,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore_backends.sql.database import Connection, Database, Session, Stage
from trackstore_backends.sql.store import SQLBackendStore

WAIT = 60.0
"""How many seconds a writer waits for those of other processes."""

READ_WAIT = 10.0
"""How many seconds a reader waits, which is only needed after a crash."""

MAPPED = 2**30
"""How many bytes of the file readers share by mapping, instead of a copy in each."""

PREFIX = "sqlite:///"

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
WRITES_NOTHING = {*BUSY, sqlite3.SQLITE_FULL}
"""Errors after which a commit has certainly not happened."""

_BUSY = Unavailable, "other processes kept the database busy for too long"
_READ_ONLY = PermissionDenied, "this account may not write to the SQLite file or its folder"
_DAMAGED = BackendError, "the file is damaged, or is not a SQLite database"
MEANINGS: dict[int, tuple[type[TrackstoreError], str]] = {
    **dict.fromkeys(BUSY, _BUSY),
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_FULL: (BackendError, "the disk is full"),
    sqlite3.SQLITE_IOERR: (BackendError, "the disk failed"),
    sqlite3.SQLITE_CANTOPEN: (
        BackendError,
        "the SQLite file cannot be opened: is it a file, and may this account read and write it?",
    ),
}


class SQLiteBackendStore(SQLBackendStore):
    @classmethod
    def from_url(cls, url: str) -> Self:
        path = url.removeprefix(PREFIX)
        if path == url or "?" in path:
            raise InvalidRequest(
                "expected sqlite:///relative.db or sqlite:////absolute/path.db, without options"
            )
        if not path or path == ":memory:" or path.startswith("file:"):
            raise InvalidRequest("a SQLite store is a file; memory: is the store without one")
        return cls(SQLiteDatabase(Path(path).absolute()))


class SQLiteDatabase(Database):
    dialect: ClassVar = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self, *, writes: bool) -> Connection:
        if not self._path.parent.is_dir():
            raise BackendError("the folder of the SQLite file does not exist: make it first")
        connection = sqlite3.connect(
            self._path,
            timeout=0 if writes else READ_WAIT,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _patiently(lambda: _prepare(connection, writes=writes))
        except BaseException:
            connection.close()
            raise
        return connection

    def begin_read(self, connection: Connection) -> None:
        connection.execute("begin")

    def begin_write(self, connection: Connection) -> None:
        _patiently(lambda: connection.execute("begin immediate"))

    def commit(self, connection: Connection) -> None:
        connection.execute("commit")

    def rollback(self, connection: Connection) -> None:
        connection.execute("rollback")

    def has_table(self, session: Session, name: str) -> bool:
        row = session.row("select 1 from sqlite_master where type = 'table' and name = ?", (name,))
        return row is not None

    def translated(self, error: BaseException, stage: Stage) -> TrackstoreError | None:
        if isinstance(error, OverflowError | UnicodeEncodeError):
            return InvalidRequest("a number of more than 64 bits, or a lone surrogate")
        if not isinstance(error, sqlite3.Error):
            return None
        code = _code(error)
        kind, message = MEANINGS.get(code, (BackendError, "SQLite failed unexpectedly"))
        unknown = stage == "commit" and code not in WRITES_NOTHING
        return kind(message, outcome="unknown" if unknown else "none")


def _prepare(connection: sqlite3.Connection, *, writes: bool) -> None:
    connection.create_function("matches_like", 3, _matches_like, deterministic=True)
    if not writes:
        connection.execute("pragma query_only = on")
        connection.execute(f"pragma mmap_size = {MAPPED}")
        return
    # Each commit reaches the disk, on macOS through the drive's cache.  Group commit pays for it.
    connection.execute("pragma synchronous = full")
    connection.execute("pragma fullfsync = on")
    mode = connection.execute("pragma journal_mode = wal").fetchone()
    if mode != ("wal",):
        raise BackendError("SQLite cannot share this file safely; is it on a network file system?")


def _patiently(action: Callable[[], object]) -> None:
    """Repeat `action` while others keep the database busy, for `WAIT` seconds at most.

    SQLite's own busy timeout lets some processes starve: it tries ever more rarely, and whoever
    has just written is the first to write again.
    """
    end = time.monotonic() + WAIT
    pause = 0.0005
    while True:
        try:
            action()
        except sqlite3.OperationalError as error:
            if _code(error) not in BUSY or time.monotonic() > end:
                raise
        else:
            return
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        pause = min(pause * 1.5, 0.01)


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary error code; 0 if the error is that of Python's module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _matches_like(value: str | None, pattern: str, fold: int) -> bool:
    return value is not None and _like_expression(pattern, fold).match(value) is not None


@lru_cache(maxsize=64)
def _like_expression(pattern: str, fold: int) -> re.Pattern[str]:
    """Return LIKE as a regular expression, whose atomic groups keep it from trying twice."""
    first, *others = (re.escape(part).replace("_", ".") for part in pattern.split("%"))
    tail = f".*{others.pop()}" if others else ""
    middle = "".join(f"(?>.*?{part})" for part in others)
    flags = re.DOTALL | (re.IGNORECASE | re.ASCII if fold else 0)
    return re.compile(rf"{first}{middle}{tail}\Z", flags)
