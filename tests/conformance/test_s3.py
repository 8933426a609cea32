"""The suite on servers that speak S3's protocol: each test has a folder of a bucket."""

import pytest

from provision.buckets import BucketHarness
from provision.s3 import VERSIONED, S3Server
from trackstore_conformance import ArtifactStoreTests
from trackstore_conformance.artifact.concurrency import ArtifactConcurrencyTests
from trackstore_conformance.artifact.errors import ArtifactErrorTests
from trackstore_conformance.artifact.files import FileTests
from trackstore_conformance.artifact.handles import ArtifactHandleTests
from trackstore_conformance.artifact.listings import ListingTests
from trackstore_conformance.artifact.versions import VersionTests


@pytest.fixture(autouse=True, scope="module")
def _servers(seaweedfs: S3Server, moto: S3Server) -> None:
    TestSeaweedFS.harness = BucketHarness(seaweedfs)
    TestVersions.harness = BucketHarness(seaweedfs, bucket=VERSIONED, versions="yes")
    TestFast.harness = BucketHarness(seaweedfs, fast="yes")
    TestMoto.harness = BucketHarness(moto)


class TestSeaweedFS(ArtifactStoreTests):
    """The harness is known once the server runs."""


class TestVersions(VersionTests):
    """In a bucket that keeps versions, which SeaweedFS lists in no order that is known."""


class TestFast(FileTests, ArtifactHandleTests, ArtifactErrorTests, ArtifactConcurrencyTests):
    """Read and written by obstore, which boto3 does all else beside."""


class TestMoto(FileTests, ListingTests):
    """It sorts as S3 does, and takes every name; it keeps nothing, and fails under threads."""
