"""The suite through a live server with several workers, whose stores are used by all tests."""

from collections.abc import Iterator

import pytest

from provision.server import RunningServer, running_server
from trackstore.registry import (
    open_artifact_store,
    open_backend_store,
    open_logged_model_store,
    open_registry_store,
)
from trackstore.stores import Store
from trackstore_conformance import (
    ArtifactStoreTests,
    BackendStoreTests,
    LoggedModelStoreTests,
    RegistryStoreTests,
)
from trackstore_conformance.harness import Harness, Opener


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, "--serve-stores", "--workers", "2") as running:
        yield running


class ServerHarness(Harness[Store]):
    """Calls give up soon where a fault is played."""

    def __init__(self, server: RunningServer, opener: Opener) -> None:
        super().__init__(f"{server.url}?timeout=30", opener)

    def proxied(self, url: str, port: int) -> str:
        return super().proxied(url, port).replace("timeout=30", "timeout=2&connect_timeout=2")


@pytest.fixture(autouse=True, scope="module")
def _server(server: RunningServer) -> None:
    TestHTTP.harness = ServerHarness(server, open_backend_store)
    TestHTTPArtifacts.harness = ServerHarness(server, open_artifact_store)
    TestHTTPRegistry.harness = ServerHarness(server, open_registry_store)
    TestHTTPLoggedModels.harness = ServerHarness(server, open_logged_model_store)


class TestHTTP(BackendStoreTests):
    """The harness is known once the server runs."""


class TestHTTPArtifacts(ArtifactStoreTests):
    """The harness is known once the server runs."""


class TestHTTPRegistry(RegistryStoreTests):
    """The harness is known once the server runs."""


class TestHTTPLoggedModels(LoggedModelStoreTests):
    """The harness is known once the server runs."""
