from pathlib import Path

from trackstore_conformance import BackendStoreTests


class TestMemory(BackendStoreTests):
    def url(self, folder: Path) -> str:
        return f"memory://{folder}"
