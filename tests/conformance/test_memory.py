from trackstore_conformance import (
    ArtifactStoreTests,
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)


class TestMemory(BackendStoreTests):
    harness = "memory://{folder}"


class TestMemoryArtifacts(ArtifactStoreTests):
    harness = "memory://{folder}"


class TestMemoryRegistry(RegistryStoreTests):
    harness = "memory://{folder}"


class TestMemoryLoggedModels(LoggedModelStoreTests):
    harness = "memory://{folder}"
