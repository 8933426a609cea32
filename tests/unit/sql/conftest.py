from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from provision.databases import DatabaseServer
from provision.mariadb import MariaDB
from provision.postgres import PostgreSQL
from trackstore.registry import open_backend_store
from trackstore_backends.sql.store import SQLBackendStore
from trackstore_backends.sqlite import SQLiteBackendStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def store(url: str) -> Iterator[SQLiteBackendStore]:
    with SQLiteBackendStore.from_url(url) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def any_store(any_url: str) -> Iterator[SQLBackendStore]:
    with open_backend_store(any_url) as store:
        yield store


@pytest.fixture(params=[PostgreSQL, MariaDB], ids=["postgres", "mariadb"])
def durable(request: pytest.FixtureRequest) -> Iterator[Callable[[], DatabaseServer]]:
    """Starts a server that writes as it would for a user, for one test alone."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(request.param(durable=True))
