from trackstore_conformance import ArtifactStoreTests


class TestFile(ArtifactStoreTests):
    harness = "file://{folder}/artifacts"
