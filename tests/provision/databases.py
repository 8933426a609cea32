"""Servers with databases, one for each test or for each place of the suite."""

from abc import abstractmethod
from pathlib import Path
from uuid import uuid4

from provision.daemon import Daemon
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore
from trackstore_conformance.harness import NAME, Harness, Opener, Place


class DatabaseServer(Daemon):
    """With `durable`, it writes as it would for a user; otherwise faster, as if disks never fail.

    Killing the process loses nothing in either case; only a loss of power would.
    """

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self.durable = durable

    @abstractmethod
    def url(self, database: str) -> str: ...

    @abstractmethod
    def make(self, database: str) -> None:
        """Make an empty database."""

    @abstractmethod
    def drop(self, database: str) -> None:
        """Remove a database, whoever uses it."""

    def fresh(self) -> str:
        """Make a database that no test has had, and return its URL."""
        name = f"t{uuid4().hex[:12]}"
        self.make(name)
        return self.url(name)


class InDatabase(Place[BackendStore], frozen=True):
    """A place that is a whole database."""

    server: DatabaseServer

    def clear(self) -> None:
        self.server.drop(self.name)


class DatabaseHarness(Harness[BackendStore]):
    """Gives each test of the suite a database of its own on one server."""

    def __init__(
        self, server: DatabaseServer, opener: Opener[BackendStore] = open_backend_store
    ) -> None:
        super().__init__(f"{server.url(NAME)}?timeout=2&connect_timeout=2", opener)
        self.server = server

    def place(self, folder: Path) -> InDatabase:
        place = super().place(folder)
        self.server.make(place.name)
        return InDatabase(
            place.name,
            place.folder,
            place.url,
            place.opener,
            place.untouched,
            place.outlasts,
            self.server,
        )
