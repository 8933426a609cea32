"""What a database supplies to the stores of this package, and how they talk to it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from trackstore.errors import TrackstoreError, Unavailable
from trackstore_backends.sql.fragments import Sql

Row = tuple[Any, ...]
Stage = Literal["connect", "begin", "run", "commit"]
"""What was being done when a driver failed."""


class PlainLogs(NamedTuple):
    """Calls that only add points of known keys; each column has a value for every point."""

    run_ids: list[str | None]
    labels: list[int]
    steps: list[int]
    timestamps: list[int]
    images: list[int]


class Connection(Protocol):
    """A driver's own connection: SQLAlchemy's would cost 30 to 60 us a statement."""

    def close(self) -> None: ...


class Session(ABC):
    """A transaction under way, to which statements are given in the words of `fragments.py`."""

    sorts_only_ties: ClassVar[bool] = True
    """Whether a walk along an index goes on as one where ties are ordered by more than it has."""

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]: ...

    @abstractmethod
    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None: ...

    def rows_of(self, queries: Sequence[Sql]) -> list[list[Row]]:
        """Return the rows of each query; where it can be, they are asked in one round trip."""
        return [self.rows(*query) for query in queries]

    @abstractmethod
    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that returns no rows, and return how many it changed."""

    def insert(self, sql: str, parameters: Sequence[Any]) -> int:
        """Insert a row, and return the number that it was given, which `sql` returns."""
        ((number,),) = self.rows(sql, parameters)
        return int(number)

    @abstractmethod
    def run_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Run a statement for each of the rows, in as few round trips as can be."""


class Raced(Unavailable):
    """Another client was faster, and nothing is written: the transaction can be tried again."""


class Lost(Unavailable):
    """The connection broke."""


class Database(ABC):
    """One database, as a dialect reaches it."""

    dialect: ClassVar[str]
    """Its name in SQLAlchemy, which migrations use."""

    max_readers: int
    """How many reads may be under way at once,"""
    patience: float
    """and how many seconds one more waits."""

    @abstractmethod
    def connect(self, *, writes: bool) -> Connection:
        """Return a new connection with every setting that the store relies on."""

    @abstractmethod
    def session(self, connection: Connection) -> Session:
        """Return what speaks to the transaction under way."""

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

    @contextmanager
    def upgrading(self, connection: Connection) -> Iterator[None]:
        """Keep all others from changing the schema, and commit at the end what was changed."""
        self.begin_write(connection)
        yield
        self.commit(connection)

    @abstractmethod
    def translated(self, error: BaseException, stage: Stage) -> TrackstoreError | None:
        """Return what a driver's error means to the caller, or None if it is none of them.

        The one place where drivers' errors are read: `Raced` and `Lost` are told apart here.  The
        message holds no SQL, path or password.
        """


@runtime_checkable
class AddsPoints(Protocol):
    """Optional: a database that has a shorter way for a group of plain logs."""

    def add_points(self, connection: Any, logs: PlainLogs) -> list[Row] | None:
        """Add points to those of their runs that are active, all at once, and commit.

        Return (run id, 0 if it is active) of the runs that there are; or None, with nothing done,
        if the way is not shorter for these.
        """
        ...


@contextmanager
def closed_if_it_fails(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def unreadable(error: BaseException) -> Lost | None:
    """Return what an exception means that neither a driver nor a store means to raise.

    A damaged reply makes of the code that reads it, the driver's or ours, any exception.
    """
    if isinstance(error, Exception) and not isinstance(error, TrackstoreError):
        return Lost("what the database server sent cannot be read")
    return None
