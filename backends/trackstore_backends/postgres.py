"""`postgresql://user:password@host:port/database`: a backend store in PostgreSQL, by psycopg."""

import re
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar, LiteralString, Self, TypeVar, cast

import psycopg
from psycopg.conninfo import make_conninfo

from trackstore.errors import (
    BackendError,
    InvalidRequest,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore_backends.sql import urls
from trackstore_backends.sql.database import (
    Database,
    Lost,
    PlainLogs,
    Raced,
    Row,
    Session,
    Stage,
    closed_if_it_fails,
    unreadable,
)
from trackstore_backends.sql.fragments import Sql
from trackstore_backends.sql.store import SQLBackendStore

T = TypeVar("T")

UPGRADE_LOCK = 0x7261_636B_7374_6F72
"""The number of the advisory lock under which the schema is changed."""

AS_WRITTEN = ("plan_cache_mode = force_generic_plan",)
"""Whatever is written, rows are found by their keys: planning again and again is for nothing."""
AS_WALKED = (
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "join_collapse_limit = 1",
    "jit = off",
)
"""A search knows which index to walk, and how far: statistics that are old must not turn that into
reading a whole table."""

RACES = {"23505", "40001", "40P01"}
"""A key that another has just written, a failed serialization, a deadlock."""

GONE = {"57P01", "57P02", "57P03", "08000", "08003", "08006", "25P03"}
"""The server stops, starts, crashed, or ended the connection."""

_READ_ONLY = PermissionDenied, "the account may not write to this database, or it is a standby"
_FULL = BackendError, "the disk of the database server is full"
MEANINGS: dict[str, tuple[type[TrackstoreError], str]] = {
    "53300": (Unavailable, "the server has no connection left: raise its max_connections"),
    "53100": _FULL,
    "42501": _READ_ONLY,
    "25006": _READ_ONLY,
    "0A000": _READ_ONLY,  # a standby begins no transaction that writes
    "55P03": (Unavailable, "others kept what is to be changed locked for too long"),
    "57014": (Unavailable, "the server cancelled the statement"),
    "22003": (InvalidRequest, "a number of more than 64 bits"),
    "22001": (InvalidRequest, "a text is longer than the database keeps"),
}
REFUSALS = (
    ("password authentication failed", PermissionDenied, "the server refused user or password"),
    ("no pg_hba.conf entry", PermissionDenied, "the server lets no such user in from here"),
    ("does not exist", BackendError, "the server has no such database or user: create it first"),
    ("too many", Unavailable, "the server has no connection left: raise its max_connections"),
    ("remaining connection slots", Unavailable, "the server has no connection left"),
)
"""What a refused connection says, which carries no code."""


class PostgresBackendStore(SQLBackendStore):
    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(PostgresDatabase(urls.parsed(url, 5432)))


class Connection(psycopg.Connection[Row]):
    """A connection that gives up when the server does not answer."""

    patience = 60.0
    beginning: LiteralString = ""
    """How the transaction begins that is to come: its first statement takes this along."""

    def begin(self) -> None:
        beginning, self.beginning = self.beginning, ""
        if beginning:
            self.execute(beginning)

    def end(self, how: LiteralString) -> None:
        """End the transaction, if it has begun at all."""
        if not self.beginning:
            self.execute(how)
        self.beginning = ""

    def wait(
        self,
        gen: Generator[Any, Any, T],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> T:
        return super().wait(gen, interval, timeout or self.patience)


class PostgresSession(Session):
    __slots__ = ("_connection", "_cursor")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor(binary=True)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._execute(_worded(sql), parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        return self._execute(_worded(sql), parameters).fetchone()

    def rows_of(self, queries: Sequence[Sql]) -> list[list[Row]]:
        with self._connection.pipeline():
            self._connection.begin()
            asked = [
                self._connection.cursor(binary=True).execute(_worded(sql), values)
                for sql, values in queries
            ]
        return [cursor.fetchall() for cursor in asked]

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self._execute(_worded(sql), parameters).rowcount

    def run_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Insert by arrays; locks are taken in the order of the keys, so that none are crossed."""
        if not rows:
            return
        ordered: list[Any] = sorted(rows)
        bulk = _bulk(sql) if len(ordered) > 1 else None
        if bulk is None:
            self._connection.begin()
            self._cursor.executemany(_worded(sql), ordered)
        else:
            self._execute(bulk, [list(column) for column in zip(*ordered, strict=True)])

    def _execute(self, sql: Any, parameters: Sequence[Any]) -> psycopg.Cursor[Row]:
        if not self._connection.beginning:
            return self._cursor.execute(sql, parameters)
        with self._connection.pipeline():
            self._connection.begin()
            return self._cursor.execute(sql, parameters)


_WORDS = (
    (r"%", "%%"),
    (
        r"([\w.]+) (?:long_)?imatches \?",
        'lower(\\1 collate "C") like lower(? collate "C") escape \'\'',
    ),
    (r" (?:long_)?matches \?", " like ? escape ''"),
    (r" in \?", " = any(?)"),
    (r"\?", "%s"),
)


@lru_cache(maxsize=1_000)
def _worded(sql: str) -> Any:
    for phrase, words in _WORDS:
        sql = re.sub(phrase, words, sql)
    return sql


_INSERT = re.compile(r"\s*insert into (\w+) \(([^)]*)\) values \([?, ]*\)(.*)", re.DOTALL)
TYPES = {
    **dict.fromkeys(("run", "label", "exp", "input", "model", "version", "logged"), "int4"),
    **dict.fromkeys(("step", "ts", "o", "start_time"), "int8"),
    **dict.fromkeys(
        ("name", "value", "alias", "model_id", "dataset_name", "dataset_digest"), "text"
    ),
}
"""Of the columns of which many rows are inserted at once."""


@lru_cache(maxsize=100)
def _bulk(sql: str) -> Any:
    """Return the same insert for arrays with a value for each row, or None if it is none."""
    found = _INSERT.fullmatch(sql)
    if found is None:
        return None
    table, columns, tail = found.groups()
    types = [TYPES.get(name.strip()) for name in columns.split(",")]
    if None in types:
        return None
    arrays = ", ".join(f"%b::{kind}[]" for kind in types)
    return f"insert into {table} ({columns}) select * from unnest({arrays}){tail}"  # noqa: S608 - only names


_ADD = """
with found as (
  select r.id, r.run, r.exp, r.start_time, r.deleted + e.deleted as deleted
  from runs r join experiments e on e.exp = r.exp
  where {runs} for share
), added as (
  select run, label, exp, step, ts, o, start_time from found, {points}
  where {of_run} deleted = 0
), kept as (
  insert into points select run, label, step, ts, o from added {in_order} on conflict do nothing
), greatest as (
  insert into latest (run, label, exp, step, ts, o, start_time)
  select {greatest} on conflict (run, label) do update
  set step = excluded.step, ts = excluded.ts, o = excluded.o
  where (excluded.step, excluded.ts, excluded.o) > (latest.step, latest.ts, latest.o)
)
select id, deleted from found
"""
"""All that logs of plain points need.  Rows are locked in the order of their keys."""
_ARRAYS = "%b::int4[], %b::int8[], %b::int8[], %b::int8[]"
_POINT = "label, step, ts, o"
_SORTED = {
    "in_order": "order by run, label, step, ts, o",
    "greatest": "distinct on (run, label) * from added "
    "order by run, label, step desc, ts desc, o desc",
}
_TO_MANY = _ADD.format(
    runs="r.id = any(%s::text[]) order by r.run",
    points=f"unnest(%s::text[], {_ARRAYS}) p (id, {_POINT})",
    of_run="found.id = p.id and",
    **_SORTED,
)
_TO_ONE = _ADD.format(
    runs="r.id = %s", points=f"unnest({_ARRAYS}) p ({_POINT})", of_run="", **_SORTED
)
_A_POINT = _ADD.format(
    runs="r.id = %s",
    points=f"(values (%s::int4, %s::int8, %s::int8, %s::int8)) p ({_POINT})",
    of_run="",
    in_order="",
    greatest="* from added",
)


class PostgresDatabase(Database):
    dialect: ClassVar = "postgresql+psycopg"

    def __init__(self, address: urls.Address) -> None:
        self._options = address.options
        self.max_readers = address.options.pool_size
        self.patience = address.options.pool_timeout
        try:
            self._info = make_conninfo("", **_settings(address))
        except psycopg.ProgrammingError:
            known = ", ".join(urls.Options._fields)
            raise InvalidRequest(
                f"an option of the URL is neither one of {known} nor one of libpq, such as sslmode"
            ) from None

    def connect(self, *, writes: bool) -> Connection:
        connection = Connection.connect(
            self._info,
            autocommit=True,
            connect_timeout=max(2, round(self._options.connect_timeout)),
            client_encoding="utf8",
        )
        connection.patience = self._options.timeout
        settings = [f"lock_timeout = {round(1_000 * self._options.timeout)}"]
        settings += AS_WRITTEN if writes else AS_WALKED
        with closed_if_it_fails(connection):
            connection.execute(cast("Any", "; ".join(f"set {each}" for each in settings)))
        return connection

    def session(self, connection: Any) -> PostgresSession:
        return PostgresSession(connection)

    def begin_read(self, connection: Any) -> None:
        connection.beginning = "begin isolation level repeatable read read only"

    def begin_write(self, connection: Any) -> None:
        connection.beginning = "begin isolation level read committed read write"

    def commit(self, connection: Any) -> None:
        connection.end("commit")

    def rollback(self, connection: Any) -> None:
        connection.end("rollback")

    def add_points(self, connection: Any, logs: PlainLogs) -> list[Row]:
        run_id, *others = set(logs.run_ids)
        values: list[Any] = [run_id, *logs[1:]]
        sql = _TO_ONE
        if others:
            sql, values = _TO_MANY, [[run_id, *others], *logs]
        elif len(logs.labels) == 1:  # arrays would take the client 100 us more
            sql, values = _A_POINT, [run_id, *(column[0] for column in logs[1:])]
        found: list[Row] = connection.execute(sql, values).fetchall()
        return found

    def has_table(self, session: Session, name: str) -> bool:
        return session.row("select 1 where to_regclass(?) is not null", (name,)) is not None

    @contextmanager
    def upgrading(self, connection: Any) -> Iterator[None]:
        with super().upgrading(connection):
            self.session(connection).run("select pg_advisory_xact_lock(?)", (UPGRADE_LOCK,))
            yield

    def translated(self, error: BaseException, stage: Stage) -> TrackstoreError | None:
        if isinstance(error, UnicodeEncodeError):
            return InvalidRequest("a lone surrogate")
        if stage == "connect" and isinstance(error, psycopg.Error) and error.sqlstate is None:
            return _refusal(str(error))
        found = _meaning(error) if isinstance(error, psycopg.Error) else unreadable(error)
        if found is not None and stage == "commit" and not _is_settled(error):
            found.outcome = "unknown"
        return found


def _is_settled(error: BaseException) -> bool:
    """Tell if a server that says so has certainly not committed."""
    code = error.sqlstate if isinstance(error, psycopg.Error) else None
    return code is not None and code not in GONE and code[:2] not in {"53", "58", "XX"}


def _meaning(error: psycopg.Error) -> TrackstoreError:
    code = error.sqlstate or ""
    if isinstance(error, psycopg.errors._WaitTimeout):  # noqa: SLF001 - it has no public name
        return Unavailable("the database server did not answer in time")
    if code in RACES:
        return Raced("another client was faster")
    if code in GONE or (isinstance(error, psycopg.OperationalError) and not code):
        return Lost("the connection to the database server broke")
    refused = (InvalidRequest, "the database server refused a value")
    unknown = (BackendError, "PostgreSQL failed unexpectedly")
    kind, message = MEANINGS.get(code, refused if code[:2] in {"22", "54"} else unknown)
    return kind(message)


def _settings(address: urls.Address) -> dict[str, Any]:
    """Return what libpq is to know; it finds what the URL leaves out as it always does."""
    return {
        "user": address.user or None,
        "password": address.password or None,
        "host": address.host or None,
        "port": address.port,
        "dbname": address.database,
        "application_name": "trackstore",
        **address.others,
    }


def _refusal(said: str) -> TrackstoreError:
    for words, kind, message in REFUSALS:
        if words in said:
            return kind(message)
    return Lost("the database server cannot be reached, or refuses the connection")
