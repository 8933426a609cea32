"""A bit of a file in a cloud that changes on its way is noticed, also without TLS.

It is less than A-RTY-02 asks, which the stores do not claim: that is about every call.
"""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from provision.azure import KEY
from provision.buckets import BucketHarness, BucketServer
from trackstore.errors import TrackstoreError
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore
from trackstore_conformance.faults.proxy import Fault, Proxy

OLD, NEW = b"old", b"new" * 100_000
HEADERS = 20_000
"""Bytes that pass first: what is damaged is the file, not what is told of it."""


@pytest.fixture(params=["fake_gcs", "azurite", "seaweedfs"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", KEY)
    found: BucketServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def stores(
    server: BucketServer, request: pytest.FixtureRequest
) -> Iterator[tuple[ArtifactStore, ArtifactStore, Proxy]]:
    """A handle by way of a proxy, one that is direct, and the proxy."""
    harness = BucketHarness(server)
    url = server.url(request.node.name.replace("/", "-"), timeout="1", connect_timeout="1")
    upstream = harness.upstream(url)
    assert upstream is not None
    with Proxy(upstream) as proxy:
        far = open_artifact_store(harness.proxied(url, proxy.port))
        with far, open_artifact_store(url) as direct:
            yield far, direct, proxy


def read(store: ArtifactStore, path: str) -> bytes:
    return b"".join(store.get(path))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_bit_that_flips_on_the_way_there_is_noticed(
    server: BucketServer, stores: tuple[ArtifactStore, ArtifactStore, Proxy], share: float
) -> None:
    """The bytes that are stored are right, or the old ones."""
    if not server.compares_checksums:
        pytest.skip("N/A: this emulator compares no checksum")
    far, direct, proxy = stores
    direct.put("a", [OLD])
    far.stat("a")
    proxy.arm(Fault("flip", "request", share=share, after=HEADERS))
    with suppress(TrackstoreError):
        far.put("a", [NEW])
    assert proxy.fired
    proxy.heal()
    proxy.settle(10)
    assert read(direct, "a") in {OLD, NEW}


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_bit_that_flips_on_the_way_back_is_noticed(
    stores: tuple[ArtifactStore, ArtifactStore, Proxy], share: float
) -> None:
    """The bytes that are read are right, or there is an error."""
    far, direct, proxy = stores
    direct.put("a", [NEW])
    proxy.arm(Fault("flip", "reply", share=share, after=HEADERS))
    got: list[bytes] = []
    while not proxy.fired:  # a busy service may answer too late
        with suppress(TrackstoreError):
            got.append(read(far, "a"))
    assert {*got} <= {NEW}
