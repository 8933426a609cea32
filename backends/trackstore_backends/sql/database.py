"""What a database supplies to the stores of this package, and how they talk to it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Literal, Protocol

from trackstore.errors import TrackstoreError

Row = tuple[Any, ...]
Stage = Literal["connect", "begin", "run", "commit"]
"""What was being done when a driver failed."""


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...


class Connection(Protocol):
    """A driver's own connection: SQLAlchemy's would cost 30 to 60 us a statement."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...
    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor: ...
    def close(self) -> None: ...


class Session:
    """A transaction under way."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        found: Row | None = self._connection.execute(sql, parameters).fetchone()
        return found

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that returns no rows, and return how many it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        if rows:
            self._connection.executemany(sql, rows)


class Database(ABC):
    """One database, as a dialect reaches it."""

    dialect: ClassVar[str]
    """Its name in SQLAlchemy, which migrations use."""

    @abstractmethod
    def connect(self, *, writes: bool) -> Connection:
        """Return a new connection with every setting that the store relies on."""

    @abstractmethod
    def begin_read(self, connection: Connection) -> None:
        """Begin a transaction whose reads all see one instant."""

    @abstractmethod
    def begin_write(self, connection: Connection) -> None:
        """Begin a transaction, waiting for a bounded time for writers elsewhere."""

    @abstractmethod
    def commit(self, connection: Connection) -> None: ...

    @abstractmethod
    def rollback(self, connection: Connection) -> None: ...

    @abstractmethod
    def has_table(self, session: Session, name: str) -> bool: ...

    @abstractmethod
    def translated(self, error: BaseException, stage: Stage) -> TrackstoreError | None:
        """Return what a driver's error means to the caller, or None if it is none of them.

        The one place where drivers' errors are read.  The message holds no SQL, path or password.
        """
