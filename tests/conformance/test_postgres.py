"""The suite on PostgreSQL: each test has a database of its own."""

import pytest

from provision.databases import DatabaseHarness, DatabaseServer
from trackstore_conformance import (
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)


@pytest.fixture(autouse=True, scope="module")
def _server(postgres: DatabaseServer) -> None:
    for suite in (TestPostgres, TestPostgresRegistry, TestPostgresLoggedModels):
        suite.harness = DatabaseHarness(postgres)


class TestPostgres(BackendStoreTests):
    """The harness is known once the server runs."""


class TestPostgresRegistry(RegistryStoreTests):
    """The harness is known once the server runs."""


class TestPostgresLoggedModels(LoggedModelStoreTests):
    """The harness is known once the server runs."""
