from pathlib import Path

from trackstore_conformance import ArtifactStoreTests


class TestFile(ArtifactStoreTests):
    def url(self, folder: Path) -> str:
        return (folder / "artifacts").as_uri()

    def plain_files(self, folder: Path) -> Path:
        return folder / "artifacts"
