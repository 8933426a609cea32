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
def test_a_flipped_bit_of_a_file_is_noticed(
    stores: tuple[ArtifactStore, ArtifactStore, Proxy], share: float
) -> None:
    """On its way to the service and back: the bytes are right, or there is an error."""
    far, direct, proxy = stores
    direct.put("a", [OLD])
    far.stat("a")
    proxy.arm(Fault("flip", "request", share=share))
    with suppress(TrackstoreError):
        far.put("a", [NEW])
    assert proxy.fired
    proxy.heal()
    proxy.settle(10)
    assert read(direct, "a") in {OLD, NEW}
    direct.put("a", [NEW])
    proxy.arm(Fault("flip", "reply", share=share))
    got: list[bytes] = []
    with suppress(TrackstoreError):
        got.append(read(far, "a"))
    assert proxy.fired
    assert got in ([], [NEW])
