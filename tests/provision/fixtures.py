"""Real servers: each is started once a worker of pytest, by the first test that asks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

import pytest

from provision.azure import Azurite
from provision.daemon import Daemon, Missing
from provision.databases import DatabaseServer
from provision.gcs import FakeGCS
from provision.mariadb import MariaDB
from provision.postgres import PostgreSQL
from provision.s3 import CREDENTIALS, Moto, S3Server, SeaweedFS

D = TypeVar("D", bound=Daemon)


def running(kind: Callable[..., D], *args: str, **options: bool) -> Iterator[D]:
    """Yield a server, or skip if it is not installed, which is a failure under CI."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(kind(*args, **options))
        except Missing as error:
            pytest.skip(str(error))
        yield server


def started(
    kind: type[DatabaseServer], *args: str, durable: bool = False
) -> Iterator[DatabaseServer]:
    yield from running(kind, *args, durable=durable)


@pytest.fixture(scope="session")
def postgres() -> Iterator[DatabaseServer]:
    """PostgreSQL, the newest."""
    yield from started(PostgreSQL)


@pytest.fixture(scope="session")
def postgres15() -> Iterator[DatabaseServer]:
    """PostgreSQL of Debian 12, which even under CI need not be there."""
    yield from started(PostgreSQL, "15")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    yield from started(MariaDB)


@pytest.fixture
def postgres_url(postgres: DatabaseServer) -> str:
    """The URL of a database that is empty."""
    return postgres.fresh()


@pytest.fixture
def mariadb_url(mariadb: DatabaseServer) -> str:
    """The URL of a database that is empty."""
    return mariadb.fresh()


@pytest.fixture(scope="session", autouse=True)
def s3_credentials() -> Iterator[None]:
    """Those of the servers here, which processes that a test starts inherit."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[S3Server]:
    yield from running(SeaweedFS)


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    yield from running(Moto)


@pytest.fixture(scope="session")
def fake_gcs() -> Iterator[FakeGCS]:
    yield from running(FakeGCS)


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    yield from running(Azurite)
