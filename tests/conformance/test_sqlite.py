"""The suite on SQLite."""

from trackstore_conformance import (
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)


class TestSQLite(BackendStoreTests):
    harness = "sqlite:///{folder}/store.db"


class TestSQLiteRegistry(RegistryStoreTests):
    harness = "sqlite:///{folder}/store.db"


class TestSQLiteLoggedModels(LoggedModelStoreTests):
    harness = "sqlite:///{folder}/store.db"
