"""The suite on SQLite."""

from pathlib import Path

from trackstore_conformance import BackendStoreTests


class TestSQLite(BackendStoreTests):
    def url(self, folder: Path) -> str:
        return f"sqlite:///{folder}/store.db"
