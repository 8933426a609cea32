"""What all stores in buckets share, when a service loses a reply or a connection."""

import os
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import pytest

from provision.memory_bucket import SERVICES, MemoryBucket, MemoryBucketStore, Service
from trackstore.errors import (
    AlreadyExists,
    BackendError,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    Unavailable,
)
from trackstore_backends.objects import Batch
from trackstore_backends.objects.uploading import cut

MB = 1 << 20


@pytest.fixture
def service() -> Iterator[Service]:
    yield SERVICES.setdefault("unit", Service())
    del SERVICES["unit"]


@pytest.fixture
def store(service: Service) -> Iterator[MemoryBucketStore]:
    with MemoryBucketStore.from_url("bucket://unit") as store:
        yield store


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def read(store: MemoryBucketStore, path: str) -> bytes:
    return b"".join(store.get(path))


@pytest.mark.parametrize("verb", ["write", "finish"])
def test_a_creation_that_is_said_to_be_there_may_be_its_own(
    store: MemoryBucketStore, service: Service, verb: str
) -> None:
    """The reply was lost, an SDK asked again, and the service found what that had made."""
    told = AlreadyExists("there", field="path") if verb == "write" else NotFound("no such upload")
    service.tricks[verb] = fails(told)
    size = 10 if verb == "write" else 3 * MB
    assert store.put("a", [bytes(size)], if_absent=True).size == size
    assert len(read(store, "a")) == size


def test_a_creation_of_another_is_not_taken_for_its_own(store: MemoryBucketStore) -> None:
    """Whatever its size."""
    store.put("a", [b"1"])
    for size in (1, 3 * MB):
        with pytest.raises(AlreadyExists):
            store.put("a", [bytes(size)], if_absent=True)
    assert read(store, "a") == b"1"


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_part_that_fails_aborts_the_upload(
    store: MemoryBucketStore, service: Service, number: int
) -> None:
    """The old file stays, and no part is left."""
    store.put("a", [b"old"])
    service.tricks[f"send {number}"] = fails(Unavailable("reset"))
    with pytest.raises(Unavailable):
        store.put("a", [bytes(MB)] * 4)
    assert service.uploads == {}
    assert read(store, "a") == b"old"


def test_parts_that_cannot_be_removed_are_told(store: MemoryBucketStore, service: Service) -> None:
    """The error is the first one, with a note on what is left."""
    service.tricks["send 1"] = fails(Unavailable("reset"))
    service.tricks["abort"] = fails(Unavailable("reset again"))
    with pytest.raises(Unavailable, match="reset") as caught:
        store.put("a", [bytes(MB)] * 3)
    assert "left to a sweep" in caught.value.__notes__[0]
    assert len(service.uploads) == 1


def test_few_parts_are_in_memory(store: MemoryBucketStore, service: Service) -> None:
    """The source is asked for the next bytes when there is room: it never runs ahead."""
    lock, sent, most = Lock(), 0, 0

    def count() -> None:
        nonlocal sent
        with lock:
            sent += 1

    def source() -> Iterator[bytes]:
        nonlocal most
        for given in range(40):
            most = max(most, given - sent)
            yield bytes(MB)

    service.tricks |= {f"send {number}": count for number in range(1, 41)}
    store.put("a", source())
    assert sent == 40
    assert most <= 3 + 3, "three under way, two that are waited for at the beginning, and the next"


def test_parts_grow_so_that_ten_thousand_are_enough() -> None:
    """The 2,001st is twice as large."""
    sizes = [len(part) for part in cut([bytes(5_000)], 1)]
    assert sizes[:2_000] == [1] * 2_000
    assert sizes[2_000:] == [2] * 1_500
    assert list(cut([], 5)) == list(cut([b"", b""], 5)) == [b""]
    assert list(cut([b"12", b"345", b"6"], 3)) == [b"123", b"456"]


def test_a_read_goes_on_where_its_connection_broke(
    store: MemoryBucketStore, service: Service
) -> None:
    """With what is missing, and no byte twice."""
    whole = os.urandom(5 * 100_000)
    store.put("a", [whole])
    reader = store.get("a", 7, 450_000)
    got = next(reader)
    service.tricks["chunk"] = fails(Unavailable("reset"))
    got += next(reader)
    service.tricks["chunk"] = fails(Unavailable("reset"))
    assert got + b"".join(reader) == whole[7:450_007]
    assert service.calls.count("read") == 3


@pytest.mark.parametrize(("is_deleted", "kind"), [(False, Conflict), (True, NotFound)])
def test_a_read_never_goes_on_in_another_version(
    store: MemoryBucketStore, service: Service, is_deleted: bool, kind: type[Exception]
) -> None:
    """What was replaced is a `Conflict`, and what was deleted is not found."""
    store.put("a", [bytes(MB)])
    reader = store.get("a")
    next(reader)
    store.delete("a") if is_deleted else store.put("a", [bytes(MB)])
    service.tricks["chunk"] = fails(Unavailable("reset"))
    with pytest.raises(kind):
        list(reader)


def test_a_connection_that_always_breaks_is_given_up(
    store: MemoryBucketStore, service: Service
) -> None:
    """After a few replies in a row without a byte."""

    def again() -> None:
        service.tricks["chunk"] = again
        raise Unavailable("reset")

    store.put("a", [b"1"])
    service.tricks["chunk"] = again
    with pytest.raises(Unavailable):
        read(store, "a")
    assert service.calls.count("chunk") == 4


def test_what_other_programs_left_is_no_artifact(
    store: MemoryBucketStore, service: Service
) -> None:
    """Marks of folders and keys that are no path are not listed, and go with their folder."""
    store.put("f/a", [b"1"])
    entry = service.objects["some/prefix/f/a"]
    for odd in ("f/", "f//b", "f/./c", "f/../d", "g/", "h//"):
        service.objects[f"some/prefix/{odd}"] = entry
    service.objects["some/prefixed"] = service.objects["other"] = entry
    for deep in (True, False):
        page = store.scan("f", None, 99, deep=deep)
        assert [info.path for info in page.items] == ["f/a"]
    assert [info.path for info in store.scan("", None, 99, deep=True).items] == ["f/a"]
    for missing in ("g", "h"):
        with pytest.raises(NotFound):
            store.stat(missing)
    store.delete("f")
    assert sorted(service.objects) == [
        "other",
        "some/prefix/g/",
        "some/prefix/h//",
        "some/prefixed",
    ]


def test_paths_that_no_front_lets_through_are_refused(store: MemoryBucketStore) -> None:
    """Also by the store: a key with a dot segment may mean another to a service or a proxy."""
    for path in ("", "/a", "a//b", "../a", "a/../b", "a/.", "a/"):
        for call in (store.get, store.stat, store.delete, lambda path: store.put(path, [b"1"])):
            with pytest.raises(InvalidRequest):
                call(path)


def test_a_listing_out_of_order_is_refused(service: Service) -> None:
    """A server that is not what its URL says is not listed wrongly."""
    with MemoryBucketStore.from_url("bucket://unit") as store:
        for path in ("a", "a/b", "a-b"):
            store.put(path, [b"1"])
    service.by_folder = True
    with MemoryBucketStore.from_url("bucket://unit") as store:
        assert len(store.scan("", None, 9, deep=True).items) == 3
        store._bucket.by_folder = False
        with pytest.raises(BackendError, match="listing=folders"):
            store.scan("", None, 9, deep=True)


def test_what_lies_elsewhere_is_never_deleted(
    store: MemoryBucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is damaged on its way may list the whole bucket."""
    for path in ("folder/a", "other"):
        store.put(path, [b"1"])
    usual = MemoryBucket._list

    def damaged(bucket: MemoryBucket, _prefix: str, *args: Any, **kwargs: Any) -> Iterator[Batch]:
        return usual(bucket, "", *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryBucket, "_list", damaged)
        for call in (store.delete, lambda path: store.scan(path, None, 9, deep=True)):
            with pytest.raises(Unavailable):
                call("folder")
    assert [info.path for info in store.scan("", None, 9, deep=True).items] == ["folder/a", "other"]


def test_a_closed_store_connects_no_more(service: Service) -> None:
    """Nor does a reader that is still open, and closing it is harmless."""
    store = MemoryBucketStore.from_url("bucket://unit")
    store.put("a", [bytes(MB)])
    reader = store.get("a")
    store.close()
    assert service.calls.count("close") == 1
    with pytest.raises(InvalidState):
        store.get("a")
    with pytest.raises(InvalidState):
        next(reader)
    reader.close()
    store.close()
    assert service.calls.count("close") == 1
