"""Files in a cloud whose connection breaks: whole, old or new, and the error says (A-RTY-01)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from provision.azure import KEY
from provision.buckets import BucketHarness, BucketServer
from trackstore.errors import TrackstoreError, Unavailable
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore
from trackstore_conformance.faults.proxy import Fault, Proxy

OLD, NEW = b"old", b"new" * 100_000
FAULTS = {
    "the request is reset": Fault("reset", "request"),
    "half of the request arrives": Fault("reset", "request", share=0.5),
    "the reply is lost": Fault("reset", "reply"),
    "the reply is lost again and again": Fault("reset", "reply", lasting=True),
    "half of the reply arrives": Fault("close", "reply", share=0.5),
    "the server goes away": Fault("vanish", "request"),
    "nobody listens": Fault("refuse"),
    "all is silent": Fault("silence", "request"),
}


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


def ended(call: Callable[[], Any]) -> str:
    """Make a call and return how it ended: "done", or the outcome that its error tells."""
    try:
        call()
    except Unavailable as error:
        return error.outcome
    return "done"


@pytest.mark.parametrize("name", FAULTS)
def test_a_put_is_done_or_not_and_says_so(
    stores: tuple[ArtifactStore, ArtifactStore, Proxy], name: str
) -> None:
    """Readers see one of the two files; what is said not to be written is not; then all is well."""
    far, direct, proxy = stores
    far.put("a", [OLD])
    proxy.arm(FAULTS[name])
    end = ended(lambda: far.put("a", [NEW]))
    assert proxy.fired
    proxy.heal()
    proxy.settle(10)
    found = read(direct, "a")
    assert found in {OLD, NEW}
    assert found == {"done": NEW, "none": OLD}.get(end, found)
    far.put("a", [NEW])
    assert read(direct, "a") == NEW


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_is_created_once(
    stores: tuple[ArtifactStore, ArtifactStore, Proxy], name: str
) -> None:
    """Whoever created it is not told that another did, by the reply to its own repetition."""
    far, direct, proxy = stores
    proxy.arm(FAULTS[name])
    end = ended(lambda: far.put("a", [NEW], if_absent=True))
    assert proxy.fired
    proxy.heal()
    proxy.settle(10)
    found = [info.size for info in direct.scan("", None, 9, deep=True).items]
    assert found in ([], [len(NEW)])
    assert bool(found) == {"done": True, "none": False}.get(end, bool(found))


@pytest.mark.parametrize("name", FAULTS)
def test_a_read_is_right_or_says_that_it_is_not(
    stores: tuple[ArtifactStore, ArtifactStore, Proxy], name: str
) -> None:
    """All bytes come, or an error; none are missing in silence."""
    far, direct, proxy = stores
    direct.put("a", [NEW])
    far.stat("a")
    proxy.arm(FAULTS[name])
    got: list[bytes] = []
    end = ended(lambda: got.append(read(far, "a")))
    assert proxy.fired
    proxy.heal()
    assert end == "none" or got == [NEW]
    assert read(far, "a") == NEW


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
