<<<<<<< .merge_file_RupJZ6
"""The suite on a local folder."""

=======
>>>>>>> .merge_file_m1OnVo
from pathlib import Path

from trackstore_conformance import ArtifactStoreTests


class TestFile(ArtifactStoreTests):
    def url(self, folder: Path) -> str:
<<<<<<< .merge_file_RupJZ6
        return f"{folder.as_uri()}/artifacts"
=======
        return (folder / "artifacts").as_uri()

    def plain_files(self, folder: Path) -> Path:
        return folder / "artifacts"
>>>>>>> .merge_file_m1OnVo
