"""The suite on an emulator of Google Cloud Storage: each test has a folder of a bucket."""

import pytest

from provision.buckets import BucketHarness
from provision.gcs import VERSIONED, FakeGCS
from trackstore_conformance import ArtifactStoreTests
from trackstore_conformance.artifact.versions import VersionTests


@pytest.fixture(autouse=True, scope="module")
def _server(fake_gcs: FakeGCS) -> None:
    TestFakeGCS.harness = BucketHarness(fake_gcs, timeout="2", connect_timeout="2")
    TestFakeGCS.harness.takes_parts = False  # it ends a session that is asked how far it is
    TestVersions.harness = BucketHarness(fake_gcs, bucket=VERSIONED, versions="yes")


class TestFakeGCS(ArtifactStoreTests):
    """The harness is known once the server runs."""


class TestVersions(VersionTests):
    """In a bucket that keeps versions."""
