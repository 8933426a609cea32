"""The connections of one handle: a pool for reads, and one that is held for writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import TypeVar

from trackstore.errors import TrackstoreError
from trackstore_backends.sql import schema
from trackstore_backends.sql.database import Connection, Database, Session, Stage
from trackstore_backends.sql.gate import Gate

T = TypeVar("T")

IDLE_READERS = 16


class Connections:
    """Opens connections when they are first needed, and brings the schema up to date before."""

    def __init__(self, database: Database) -> None:
        self.gate = Gate(self._disconnect)
        self._database = database
        self._idle: list[Connection] = []
        self._writer: Connection | None = None
        self._is_current = False
        self._upgrading = Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Lend a transaction whose reads all see one instant."""
        with self.gate:
            self._make_current()
            connection = self._reader()
            try:
                self._database.begin_read(connection)
                yield Session(connection)
            except TrackstoreError:
                self._end_read(connection)
                raise
            except BaseException as error:
                connection.close()
                self._raise_translated(error, "run")
                raise
            self._end_read(connection)

    def _reader(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:  # asking first would race
            return self._connect(writes=False)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction and commit it.  For one thread at a time."""
        self._make_current()
        if self._writer is None:
            self._writer = self._connect(writes=True)
        return self._write(self._writer, work)

    def _write(self, connection: Connection, work: Callable[[Session], T]) -> T:
        stage: Stage = "begin"
        try:
            self._database.begin_write(connection)
            stage = "run"
            result = work(Session(connection))
            stage = "commit"
            self._database.commit(connection)
        except BaseException as error:
            self._writer = None
            connection.close()  # which rolls back, whatever state it was left in
            self._raise_translated(error, stage)
            raise
        return result

    def _connect(self, *, writes: bool) -> Connection:
        try:
            return self._database.connect(writes=writes)
        except Exception as error:
            self._raise_translated(error, "connect")
            raise

    def _make_current(self) -> None:
        if self._is_current:
            return
        with self._upgrading:
            if not self._is_current:
                if not self._ask(partial(schema.is_current, self._database)):
                    self._upgrade()
                self._is_current = True

    def _ask(self, question: Callable[[Session], T]) -> T:
        """Answer a question at one instant, by a connection that is not kept."""
        connection = self._connect(writes=False)
        try:
            self._database.begin_read(connection)
            return question(Session(connection))
        except Exception as error:
            self._raise_translated(error, "run")
            raise
        finally:
            connection.close()

    def _upgrade(self) -> None:
        connection = self._connect(writes=True)
        self._write(connection, lambda _: schema.upgrade(self._database, connection))
        connection.close()

    def _end_read(self, connection: Connection) -> None:
        self._database.rollback(connection)
        if len(self._idle) < IDLE_READERS:
            self._idle.append(connection)
        else:
            connection.close()

    def _disconnect(self) -> None:
        opened = [*self._idle, *([self._writer] if self._writer else [])]
        self._idle, self._writer = [], None
        for connection in opened:
            connection.close()

    def _raise_translated(self, error: BaseException, stage: Stage) -> None:
        """Raise what a driver's error means; return if it is no driver's error."""
        translated = self._database.translated(error, stage)
        if translated is not None:
            raise translated from error
