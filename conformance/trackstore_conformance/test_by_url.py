"""The suites, on the store of `pytest --pyargs trackstore_conformance --store-url URL`."""

import pytest

from trackstore_conformance import (
    ArtifactStoreTests,
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)


@pytest.fixture(autouse=True)
def harness_of_the_url(request: pytest.FixtureRequest) -> None:
    request.instance.harness = request.config.getoption("store_url")


class TestBackendStore(BackendStoreTests):
    """The suite of a backend store."""


class TestArtifactStore(ArtifactStoreTests):
    """The suite of an artifact store."""


class TestRegistryStore(RegistryStoreTests):
    """The suite of a store of registered models."""


class TestLoggedModelStore(LoggedModelStoreTests):
    """The suite of a store of logged models."""
