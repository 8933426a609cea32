"""The suite on MariaDB: each test has a database of its own."""

import pytest

from provision.databases import DatabaseHarness, DatabaseServer
from trackstore_conformance import (
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)


@pytest.fixture(autouse=True, scope="module")
def _server(mariadb: DatabaseServer) -> None:
    for suite in (TestMariaDB, TestMariaDBRegistry, TestMariaDBLoggedModels):
        suite.harness = DatabaseHarness(mariadb)


class TestMariaDB(BackendStoreTests):
    """The harness is known once the server runs."""


class TestMariaDBRegistry(RegistryStoreTests):
    """The harness is known once the server runs."""


class TestMariaDBLoggedModels(LoggedModelStoreTests):
    """The harness is known once the server runs."""
