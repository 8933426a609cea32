from pathlib import Path

from trackstore_conformance import ArtifactStoreTests, BackendStoreTests


class TestMemory(BackendStoreTests):
    def url(self, folder: Path) -> str:
        return f"memory://{folder}"


class TestMemoryArtifacts(ArtifactStoreTests):
    def url(self, folder: Path) -> str:
        return f"memory://{folder}"
