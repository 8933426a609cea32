"""`mysql://user:password@host:port/database`: a backend store in MariaDB or MySQL, by pymysql."""

import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import pymysql
from pymysql.constants import CR, ER
from pymysql.converters import conversions, escape_string

from trackstore.errors import (
    BackendError,
    InvalidRequest,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore_backends.mysql_words import (
    bulk_insert,
    escaped_list,
    given,
    keep_greatest,
    worded,
)
from trackstore_backends.sql import urls
from trackstore_backends.sql.claims import claimed
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
from trackstore_backends.sql.fragments import Packed
from trackstore_backends.sql.store import SQLBackendStore

PACKET = 500_000
"""The most characters of a statement that inserts many rows; servers take from 4 MB up."""

AS_WRITTEN = "semijoin=off,materialization=off"
"""A search knows which index to walk; each filter is looked up in its own, and none read whole."""

RACES = {ER.DUP_ENTRY, ER.LOCK_DEADLOCK, ER.UNKNOWN_COM_ERROR, 1020, 1412}
"""A key that another has just written, a deadlock (also how Galera refuses a commit), a cluster
that votes, a row that changed since it was read, and a table that changed since a read began."""

GONE = {
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    CR.CR_CONN_HOST_ERROR,
    CR.CR_CONNECTION_ERROR,
    ER.SERVER_SHUTDOWN,
    1927,  # connection was killed
    0,  # pymysql's own: the connection is closed
}

_DENIED = PermissionDenied, "the server refused user or password, or lets the user not in here"
_READ_ONLY = PermissionDenied, "the account may not write to this database, or it is a replica"
_TOO_MANY = Unavailable, "the server has no connection left: raise its max_connections"
_VALUE = InvalidRequest, "the database server refused a value"
MEANINGS: Mapping[int, tuple[type[TrackstoreError], str]] = {
    ER.ACCESS_DENIED_ERROR: _DENIED,
    ER.DBACCESS_DENIED_ERROR: _DENIED,
    ER.HOST_NOT_PRIVILEGED: _DENIED,
    ER.TABLEACCESS_DENIED_ERROR: _READ_ONLY,
    ER.OPTION_PREVENTS_STATEMENT: _READ_ONLY,
    ER.CON_COUNT_ERROR: _TOO_MANY,
    ER.TOO_MANY_USER_CONNECTIONS: _TOO_MANY,
    ER.BAD_DB_ERROR: (BackendError, "the server has no such database: create it first"),
    ER.DISK_FULL: (BackendError, "the disk of the database server is full"),
    ER.RECORD_FILE_FULL: (BackendError, "the disk of the database server is full"),
    ER.LOCK_WAIT_TIMEOUT: (
        Unavailable,
        "others kept what is to be changed locked for too long",
    ),
    ER.WARN_DATA_OUT_OF_RANGE: (InvalidRequest, "a number of more than 64 bits"),
    ER.DATA_TOO_LONG: (InvalidRequest, "a text is longer than the database keeps"),
    ER.NET_PACKET_TOO_LARGE: (InvalidRequest, "a text is longer than the server takes"),
    ER.TRUNCATED_WRONG_VALUE_FOR_FIELD: _VALUE,
}


class MySQLBackendStore(SQLBackendStore):
    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(MySQLDatabase(urls.parsed(url, 3306)))


class MySQLSession(Session):
    """Texts of our own for many rows: the driver's take three times as long."""

    __slots__ = ("_connection", "_cursor")
    sorts_only_ties = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        self._cursor.execute(worded(sql), given(parameters))
        return list(self._cursor.fetchall())

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        self._cursor.execute(worded(sql), given(parameters))
        found: Row | None = self._cursor.fetchone()
        return found

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        changed: int = self._cursor.execute(worded(sql), given(parameters))
        return changed

    def insert(self, sql: str, parameters: Sequence[Any]) -> int:
        self.run(sql, parameters)
        number: int = self._cursor.lastrowid
        return number

    def run_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Insert by few statements, in the order of the keys, so that no locks are crossed."""
        ordered: list[Any] = sorted(rows)
        bulk = bulk_insert(sql)
        if bulk is None:
            for row in ordered:
                self._cursor.execute(worded(sql), row)
            return
        head, tail = bulk
        for values in _portions(map(self._row_text, ordered)):
            self._connection.query(f"{head}{values}{tail}")

    def _row_text(self, row: Sequence[Any]) -> str:
        texts = [
            str(value) if type(value) is int else self._connection.escape(value) for value in row
        ]
        return f"({','.join(texts)})"


def _portions(rows: Iterator[str]) -> Iterator[str]:
    """Yield the rows, in statements' worth."""
    portion: list[str] = []
    size = 0
    for row in rows:
        if portion and size + len(row) > PACKET:
            yield ",".join(portion)
            portion, size = [], 0
        portion.append(row)
        size += len(row) + 1
    if portion:
        yield ",".join(portion)


PLAIN = 50
"""Up to so many points are added by a statement that looks for their run too."""
_ACTIVE = (
    "from runs r straight_join experiments e on e.exp = r.exp straight_join ({}) p "
    "where r.id = '{}' and r.deleted = 0 and e.deleted = 0"
)
_STAGE = (
    "select r.id, r.deleted + e.deleted from runs r join experiments e on e.exp = r.exp "
    "where r.id = ? for share"
)
_GREATER = keep_greatest(["step", "ts", "o"])


def _rows_of(points: Sequence[tuple[int, ...]]) -> str:
    """Return a table of (k, s, t, v), named so that they are no column of ours."""
    first = "select {} as k, {} as s, {} as t, {} as v".format(*points[0])
    rest = [" union all select {}, {}, {}, {}".format(*point) for point in points[1:]]
    return first + "".join(rest)


def _greatest(points: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the greatest of sorted points for each label."""
    return list({point[0]: point for point in points}.values())


class MySQLDatabase(Database):
    dialect: ClassVar = "mysql+pymysql"

    def __init__(self, address: urls.Address) -> None:
        self._address = address
        self.max_readers = address.options.pool_size
        self.patience = address.options.pool_timeout
        self._tls = _tls(address.others)

    def connect(self, *, writes: bool) -> Any:
        address, options = self._address, self._address.options
        connection: Any = pymysql.connect(
            user=address.user or None,
            password=address.password,
            host=address.host or "127.0.0.1",
            port=address.port,
            database=address.database,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            autocommit=not writes,  # a transaction begins with its first statement
            conv={**conversions, Packed: escaped_list},
            connect_timeout=max(1, round(options.connect_timeout)),
            read_timeout=options.timeout,
            write_timeout=options.timeout,
            ssl=self._tls,
            ssl_disabled=self._tls is None,  # or each connection reads the system's certificates
        )
        level = "read committed" if writes else "repeatable read"
        walking = "" if writes else f", optimizer_switch = '{AS_WRITTEN}'"
        with closed_if_it_fails(connection):
            connection.query(
                "set session sql_mode = 'traditional', "
                f"innodb_lock_wait_timeout = {max(1, round(options.timeout) - 1)}{walking}"
            )
            connection.query(f"set session transaction isolation level {level}")
        return connection

    def session(self, connection: Any) -> MySQLSession:
        return MySQLSession(connection)

    def begin_read(self, connection: Any) -> None:
        connection.query("start transaction with consistent snapshot, read only")

    def begin_write(self, connection: Any) -> None:
        """Do nothing: the first statement begins it."""

    def commit(self, connection: Any) -> None:
        connection.query("commit")

    def rollback(self, connection: Any) -> None:
        connection.query("rollback")

    def add_points(self, connection: Any, logs: PlainLogs) -> list[Row] | None:
        run_id, *others = set(logs.run_ids)
        if run_id is None or others or len(logs.labels) > PLAIN:
            return None
        session = MySQLSession(connection)
        points = sorted(zip(*logs[1:], strict=True))
        name = escape_string(run_id)
        active = _ACTIVE.format(_rows_of(points), name)
        connection.query(
            "insert ignore into points (run, label, step, ts, o) "
            f"select r.run, p.k, p.s, p.t, p.v {active} order by k, s, t, v lock in share mode"
        )
        if connection.affected_rows():
            found: list[Row] = [(run_id, 0)]
            greatest = _ACTIVE.format(_rows_of(_greatest(points)), name)
            connection.query(
                "insert into latest (run, label, exp, step, ts, o, start_time) "
                "select r.run, p.k, r.exp, p.s, p.t, p.v, r.start_time "
                f"{greatest} order by k {_GREATER}"
            )
        else:  # the points are there already, or the run is not active
            found = session.rows(_STAGE, (run_id,))
        connection.query("commit")
        return found

    def has_table(self, session: Session, name: str) -> bool:
        sql = (
            "select 1 from information_schema.tables "
            "where table_schema = database() and table_name = ?"
        )
        return session.row(sql, (name,)) is not None

    @contextmanager
    def upgrading(self, connection: Any) -> Iterator[None]:
        """Claim the right to change the schema, statement by statement: each commits by itself."""
        connection.autocommit(value=True)
        with claimed(self.session(connection), lambda: self.connect(writes=False), self.session):
            yield

    def translated(self, error: BaseException, stage: Stage) -> TrackstoreError | None:
        if isinstance(error, UnicodeEncodeError):
            return InvalidRequest("a lone surrogate")
        known = isinstance(error, pymysql.Error | OSError)
        found = _meaning(error, stage) if known else unreadable(error)
        if found is not None and stage == "commit" and not _is_settled(error):
            found.outcome = "unknown"
        return found


def _is_settled(error: BaseException) -> bool:
    """Tell if a server that says so has certainly not committed."""
    code = _code(error)
    return code >= 1_000 and code not in GONE and code != ER.ERROR_DURING_COMMIT


def _code(error: BaseException) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _meaning(error: pymysql.Error | OSError, stage: Stage) -> TrackstoreError:
    code = _code(error)
    if code in RACES:
        return Raced("another client was faster")
    if isinstance(error.__context__, TimeoutError) or "timed out" in str(error):
        return Unavailable("the database server did not answer in time")
    if code in GONE or isinstance(error, OSError | pymysql.InternalError):
        where = "cannot be reached" if stage == "connect" else "broke the connection"
        return Lost(f"the database server {where}")
    unknown = _VALUE if isinstance(error, pymysql.DataError) else None
    kind, message = MEANINGS.get(code) or unknown or (BackendError, "the database server failed")
    return kind(message)


def _tls(options: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return how connections are encrypted, by `tls=verify|require` and `tls_ca=FILE`."""
    unknown = sorted(set(options) - {"tls", "tls_ca"})
    mode = options.get("tls", "verify" if "tls_ca" in options else "off")
    if unknown or mode not in {"off", "require", "verify"}:
        known = ", ".join((*urls.Options._fields, "tls=off|require|verify", "tls_ca=FILE"))
        raise InvalidRequest(f"the options of the URL are {known}")
    if mode == "off":
        return None
    context = ssl.create_default_context(cafile=options.get("tls_ca"))
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
