"""The suite on a SQLite store that seals the points of its runs all the time."""

from sealed import open_eagerly
from trackstore_conformance import BackendStoreTests
from trackstore_conformance.harness import Harness


class TestSealed(BackendStoreTests):
    harness = Harness("sqlite:///{folder}/store.db", open_eagerly)
