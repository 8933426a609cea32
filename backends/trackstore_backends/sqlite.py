"""`sqlite:///relative.db` and `sqlite:////absolute/path.db`: a backend store in one file."""

import json
import re
import sqlite3
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

from trackstore.errors import (
    BackendError,
    InvalidRequest,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore_backends.pauses import pauses
from trackstore_backends.sql.database import Database, Row, Session, Stage
from trackstore_backends.sql.fragments import Packed, Pattern
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


class SQLiteSession(Session):
    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(_worded(sql), parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        found: Row | None = self._connection.execute(_worded(sql), parameters).fetchone()
        return found

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self._connection.execute(_worded(sql), parameters).rowcount

    def run_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        if rows:
            self._connection.executemany(_worded(sql), rows)


_WORDS = (
    (r" in \?", " in (select value from json_each(?))"),
    (r" matches \?", " glob ?"),
    (r" imatches \?", " like ?"),
    (r"([\w.]+) long_matches \?", r"matches_like(\1, ?, 0)"),
    (r"([\w.]+) long_imatches \?", r"matches_like(\1, ?, 1)"),
    (r" for (share|update)\b", ""),  # a writer is alone
)


@lru_cache(maxsize=1_000)
def _worded(sql: str) -> str:
    for phrase, words in _WORDS:
        sql = re.sub(phrase, words, sql)
    return sql


def _as_glob(pattern: Pattern) -> str:
    escaped = "".join(f"[{mark}]" if mark in "*?[" else mark for mark in pattern)
    return escaped.replace("%", "*").replace("_", "?")


sqlite3.register_adapter(Packed, json.dumps)
sqlite3.register_adapter(Pattern, _as_glob)


class SQLiteDatabase(Database):
    dialect: ClassVar = "sqlite"
    max_readers = 64
    patience = WAIT

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self, *, writes: bool) -> sqlite3.Connection:
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

    def session(self, connection: Any) -> SQLiteSession:
        return SQLiteSession(connection)

    def begin_read(self, connection: Any) -> None:
        connection.execute("begin")

    def begin_write(self, connection: Any) -> None:
        _patiently(lambda: connection.execute("begin immediate"))

    def commit(self, connection: Any) -> None:
        connection.execute("commit")

    def rollback(self, connection: Any) -> None:
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
    busy: sqlite3.OperationalError | None = None
    for _ in pauses(0.0005, 0.01, within=WAIT):
        try:
            action()
        except sqlite3.OperationalError as error:
            if _code(error) not in BUSY:
                raise
            busy = error
        else:
            return
    if busy is not None:
        raise busy


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
