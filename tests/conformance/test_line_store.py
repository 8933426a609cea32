"""The suite on a store behind a network."""

from collections.abc import Iterator

import pytest

from line_store.client import LineHarness
from line_store.running import running_server
from trackstore_conformance import BackendStoreTests
from trackstore_conformance.artifact.faults import ArtifactFaultTests
from trackstore_conformance.artifact.files import FileTests


@pytest.fixture(autouse=True, scope="module")
def _server() -> Iterator[None]:
    with running_server() as port:
        TestLineStore.harness = LineHarness(port)
        TestLineFiles.harness = LineHarness(port, timeout=2)  # its lines are long
        yield


class TestLineStore(BackendStoreTests):
    """The harness is known once the server runs."""


class TestLineFiles(FileTests, ArtifactFaultTests):
    """The same store, by its other contract."""
