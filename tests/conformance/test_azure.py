"""The suite on an emulator of Azure Blob Storage: each test has a folder of a container."""

import pytest

from provision.azure import Azurite
from provision.buckets import BucketHarness
from trackstore_conformance import ArtifactStoreTests


@pytest.fixture(autouse=True, scope="module")
def _server(azurite: Azurite) -> None:
    TestAzurite.harness = BucketHarness(azurite, timeout="2", connect_timeout="2")


class TestAzurite(ArtifactStoreTests):
    """The harness is known once the server runs."""
