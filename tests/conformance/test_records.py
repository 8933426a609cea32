"""The suite on a folder of records."""

from trackstore_conformance import (
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)


class TestRecords(BackendStoreTests):
    harness = "file://{folder}/store"


class TestRecordsRegistry(RegistryStoreTests):
    harness = "file://{folder}/store"


class TestRecordsLoggedModels(LoggedModelStoreTests):
    harness = "file://{folder}/store"
