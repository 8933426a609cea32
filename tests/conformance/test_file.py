"""The suite on a local folder."""

from pathlib import Path

from trackstore_conformance import ArtifactStoreTests


class TestFile(ArtifactStoreTests):
    def url(self, folder: Path) -> str:
        return f"{folder.as_uri()}/artifacts"
