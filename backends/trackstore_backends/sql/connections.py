"""The connections of one handle: a pool for reads, and one that is held for writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import BoundedSemaphore, Lock
from typing import TypeVar

from trackstore.errors import TrackstoreError, Unavailable
from trackstore.model import SchemaChange
from trackstore_backends.gate import Gate
from trackstore_backends.pauses import pauses
from trackstore_backends.sql import schema
from trackstore_backends.sql.database import Connection, Database, Lost, Raced, Session, Stage

T = TypeVar("T")

RACES = 30
"""How often a transaction is tried that others are always faster than: for about two seconds."""


def tried(transaction: Callable[[], T]) -> T:
    """Return what a transaction returns, which is repeated while it is known to have done nothing.

    That is after a race that it has lost, and once if its connection broke.
    """
    lost, cause = False, None
    for _ in islice(pauses(0.001, 0.1), RACES):
        try:
            return transaction()
        except Raced as error:
            cause = error
        except Lost as error:
            if lost or error.outcome != "none":
                raise
            lost = True
    raise Unavailable("other clients were faster too often; try again") from cause


@dataclass(slots=True)
class _At:
    """What is being done."""

    stage: Stage


def _answer(work: Callable[[Session], T], session: Session) -> T | TrackstoreError:
    try:
        return work(session)
    except TrackstoreError as refusal:
        return refusal


class Connections:
    """Opens connections when they are first needed, and brings the schema up to date before."""

    def __init__(self, database: Database) -> None:
        self.gate = Gate(self._disconnect)
        self.database = database
        self._idle: list[Connection] = []
        self._readers = BoundedSemaphore(database.max_readers)
        self._writer: Connection | None = None
        self._is_current = False
        self._upgrading = Lock()

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction whose reads all see one instant."""
        with self.gate, self._turn():
            return tried(lambda: self._read(work))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._readers.acquire(timeout=self.database.patience):
            raise Unavailable(
                f"all {self.database.max_readers} connections for reading were in use for "
                f"{self.database.patience:g} seconds"
            )
        try:
            yield
        finally:
            self._readers.release()

    def _read(self, work: Callable[[Session], T]) -> T:
        self._make_current()
        return self._ask(work)

    def _ask(self, work: Callable[[Session], T]) -> T:
        connection = self._reader()
        try:
            self.database.begin_read(connection)
            answer = _answer(work, self.database.session(connection))
            self.database.rollback(connection)
        except BaseException as error:
            connection.close()
            self._raise_translated(error, "run")
            raise
        self._idle.append(connection)
        if isinstance(answer, TrackstoreError):
            raise answer
        return answer

    def _reader(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:  # asking first would race
            return self._connect(writes=False)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction and commit it.  For one thread at a time.

        Raises `Raced` and `Lost` as `tried` wants them.
        """
        connection = self._writing()
        with self._translating(connection) as at:
            at.stage = "begin"
            self.database.begin_write(connection)
            at.stage = "run"
            result = work(self.database.session(connection))
            at.stage = "commit"
            self.database.commit(connection)
        return result

    def write_at_once(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, a statement that commits by itself.  Otherwise as `write`."""
        connection = self._writing()
        with self._translating(connection) as at:
            at.stage = "commit"
            return work(connection)

    def _writing(self) -> Connection:
        self._make_current()
        if self._writer is None:
            self._writer = self._connect(writes=True)
        return self._writer

    @contextmanager
    def _translating(self, connection: Connection) -> Iterator["_At"]:
        """Give up the connection for writes if anything fails."""
        at = _At("begin")
        try:
            yield at
        except BaseException as error:
            self._writer = None
            connection.close()  # which rolls back, whatever state it was left in
            self._raise_translated(error, at.stage)
            raise

    def _connect(self, *, writes: bool) -> Connection:
        try:
            return self.database.connect(writes=writes)
        except Exception as error:
            self._raise_translated(error, "connect")
            raise

    def upgrade(self) -> SchemaChange:
        """Bring the schema up to date, and tell from which it was."""
        with self.gate, self._upgrading:
            return self._upgraded()

    def _make_current(self) -> None:
        if self._is_current:
            return
        with self._upgrading:
            if not self._is_current:
                self._upgraded()
                self._is_current = True

    def _upgraded(self) -> SchemaChange:
        revision = self._ask(partial(schema.revision_of, self.database))
        if revision == schema.REVISIONS[-1]:  # and nobody is kept waiting
            return SchemaChange(revision, revision)
        return tried(lambda: self._alone(self._upgrade))

    def _alone(self, work: Callable[[Connection], T]) -> T:
        """Run `work` with a connection that is not kept."""
        connection = self._connect(writes=True)
        try:
            return work(connection)
        except Exception as error:
            self._raise_translated(error, "run")
            raise
        finally:
            connection.close()

    def _upgrade(self, connection: Connection) -> SchemaChange:
        with self.database.upgrading(connection):
            return schema.upgrade(self.database, connection)

    def _disconnect(self) -> None:
        opened = [*self._idle, *([self._writer] if self._writer else [])]
        self._idle, self._writer = [], None
        for connection in opened:
            connection.close()

    def _raise_translated(self, error: BaseException, stage: Stage) -> None:
        """Raise what a driver's error means; return if it is no driver's error."""
        translated = self.database.translated(error, stage)
        if isinstance(translated, Lost):
            self._forget_idle()
        if translated is not None:
            raise translated from error

    def _forget_idle(self) -> None:
        """Close what was opened to a server that may be gone."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
