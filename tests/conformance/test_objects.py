"""The suite on what all object stores share, over buckets in memory of either order."""

from provision.memory_bucket import MemoryBucketStore
from trackstore_conformance import ArtifactStoreTests
from trackstore_conformance.harness import Harness


class TestKeysInOrder(ArtifactStoreTests):
    harness = Harness("bucket://{name}", MemoryBucketStore.from_url)


class TestTree(ArtifactStoreTests):
    harness = Harness("bucket://{name}?tree", MemoryBucketStore.from_url)
