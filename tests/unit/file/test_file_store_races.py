import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Event, Thread

import pytest

from provision.file_store import paths, private, read
from trackstore.errors import (
    AlreadyExists,
    BackendError,
    NotFound,
    Unavailable,
)
from trackstore.model import ArtifactInfo
from trackstore_backends.file import FileArtifactStore, tree
from trackstore_backends.file.tree import PRIVATE

CONTROLLED = 20
"""Seconds within which another process or thread must have come to its next step."""


# Whole files only: A-PUT-02, A-PUT-06


class Interrupted(OSError):
    """What a broken connection raises is an OSError, and still the caller's own."""


def test_failing_upload(store: FileArtifactStore, root: Path) -> None:
    """What the chunks raise passes through, and neither file nor temporary file is left."""

    def cut() -> Iterator[bytes]:
        yield b"new"
        assert paths(store) == ["old"]
        assert read(store, "old") == b"old"
        assert len(private(root)) == 1
        raise Interrupted

    store.put("old", [b"old"])
    for path in ("old", "new/x"):
        with pytest.raises(Interrupted):
            store.put(path, cut())
    assert paths(store) == ["old"]
    assert private(root) == []
    assert not (root / "new").exists()


def test_reader_keeps_its_version(store: FileArtifactStore) -> None:
    """A-GET-02: a read that has begun ends with the same version, whatever happens to the path."""
    old, new = b"o" * 700_000, b"n" * 800_000
    store.put("a/b", [old])
    overwritten, deleted = store.get("a/b"), store.get("a/b", 10)
    seen = next(overwritten)
    store.put("a/b", [new])
    assert seen + b"".join(overwritten) == old
    store.delete("a")
    assert b"".join(deleted) == old[10:]


def test_readers_during_overwrites(store: FileArtifactStore) -> None:
    """A-PUT-02: a reader that races with writers only ever sees a whole version."""
    stop = Event()
    store.put("f", [b"0" * 100_000])

    def write(digit: bytes) -> None:
        while not stop.is_set():
            store.put("f", [digit * 50_000, digit * 50_000])

    writers = [Thread(target=write, args=(digit,)) for digit in (b"1", b"2")]
    for writer in writers:
        writer.start()
    try:
        for _ in range(200):
            seen = read(store, "f")
            assert len(seen) == 100_000
            assert len(set(seen)) == 1
            assert store.scan("", None, 10, deep=True).items == [ArtifactInfo("f", 100_000)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()


KILLED_WRITER = """
import sys
from trackstore_backends.file import FileArtifactStore
def chunks():
    yield b"partial" * 1000
    print("half", flush=True)
    sys.stdin.read()
FileArtifactStore.from_url(sys.argv[1]).put("d/" + sys.argv[2], chunks())
"""


def test_killed_writer(store: FileArtifactStore, root: Path) -> None:
    """A-PUT-06: a writer killed half-way leaves nothing visible, and the next one cleans up."""
    store.put("d/old", [b"old"])
    for name in ("old", "new"):
        with _writer(root, name) as writer:
            assert paths(store) == ["d/old"]
            assert read(store, "d/old") == b"old"
            writer.kill()
            writer.wait(CONTROLLED)
        assert paths(store) == ["d/old"]
    assert len(private(root)) == 1  # the second swept the first
    with FileArtifactStore.from_url(root.as_uri()) as later:
        later.put("other", [b""])
    assert private(root) == []


def test_living_writer_is_left_alone(store: FileArtifactStore, root: Path) -> None:
    """Cleaning up after the dead takes nothing from a writer that is at work."""
    with _writer(root, "x") as writer:
        store.put("other", [b""])
        assert len(private(root)) == 1
        writer.communicate(b"", CONTROLLED)
    assert paths(store) == ["d/x", "other"]


def _writer(root: Path, name: str) -> subprocess.Popen[bytes]:
    """Start a process that is half through its upload, and goes on when its input ends."""
    command = [sys.executable, "-c", KILLED_WRITER, root.as_uri(), name]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout
    assert writer.stdout.readline() == b"half\n"
    return writer


def test_staged_file_that_others_removed(store: FileArtifactStore, root: Path) -> None:
    """A writer whose temporary file is taken away publishes nothing, and may try again."""

    def chunks() -> Iterator[bytes]:
        yield b"new"
        for path in private(root):
            path.unlink()

    store.put("f", [b"old"])
    with pytest.raises(Unavailable) as caught:
        store.put("f", chunks())
    assert caught.value.outcome == "none"
    assert read(store, "f") == b"old"


def test_killed_deletion(store: FileArtifactStore, root: Path) -> None:
    """A tree whose removal was cut short is gone from sight, and removed by the next deletion."""
    store.put("a/b/c", [b"1"])
    store.put("x", [b"1"])
    (root / "a").rename(root / PRIVATE / "out-killed")
    assert paths(store) == ["x"]
    store.delete("x")
    assert private(root) == []


def test_full_disk(store: FileArtifactStore, root: Path) -> None:
    """A write that the system refuses half-way is a `BackendError` that leaves nothing."""
    store.put("f", [b"old"])
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    try:
        with pytest.raises(BackendError) as caught:
            store.put("f", [b"x" * 600_000] * 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert caught.value.outcome == "none"
    assert str(root) not in str(caught.value)
    assert read(store, "f") == b"old"
    assert private(root) == []


def test_order_of_durability(
    store: FileArtifactStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A-DUR-01: bytes are synced before the name appears, and every folder above it after."""
    synced: list[tuple[str, bool]] = []

    def spy(descriptor: int) -> None:
        place = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        synced.append((place, (root / "a/b/f").exists()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to tell what is synced")
    monkeypatch.setattr("trackstore_backends.file.tree.sync", spy)
    monkeypatch.setattr("trackstore_backends.file.staging.sync", spy)
    store.put("a/b/f", [b"1"])
    places = [place for place, _ in synced]
    assert synced[places.index(str(root / "a/b"))] == (str(root / "a/b"), True)
    staged = next(place for place in places if PRIVATE in place)
    assert synced[places.index(staged)] == (staged, False)
    assert {str(root.parent), str(root), str(root / "a")} <= set(places)


def test_what_was_synced_once_is_not_synced_again(
    store: FileArtifactStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a folder that was removed and made again by others is, whatever inode it has got."""
    store.put("a/b/f", [b"1"])
    synced: list[str] = []

    def spy(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to tell what is synced")
    monkeypatch.setattr("trackstore_backends.file.tree.sync", spy)
    store.put("a/b/g", [b"1"])
    assert synced in (["b"], ["root", "a", "b"])  # the latter where folders have no generation
    for _ in range(20):
        shutil.rmtree(root / "a")
        (root / "a/b").mkdir(parents=True)
        synced.clear()
        store.put("a/b/f", [b"1"])
        assert synced == ["root", "a", "b"]


def test_failing_sync_after_publishing(
    store: FileArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If only the last sync fails, the file may be there: the outcome is unknown."""
    store.put("other", [b"1"])

    def fail(descriptor: int) -> None:
        raise OSError(5, "injected")

    monkeypatch.setattr(tree, "sync", fail)
    with pytest.raises(BackendError) as caught:
        store.put("f", [b"2"])
    assert caught.value.outcome == "unknown"


# Races


def _meet(barrier: Barrier) -> None:
    global _start  # noqa: PLW0603 - the only way into a process of a pool
    _start = barrier


def _create(url: str, path: str) -> int:
    with FileArtifactStore.from_url(url) as store:
        _start.wait(CONTROLLED)
        try:
            store.put(path, [b"%d" % os.getpid()] * 1000, if_absent=True)
        except AlreadyExists:
            return 0
        return os.getpid()


def test_one_creator_wins(root: Path) -> None:
    """A-PUT-04: of 8 processes that create one file, one wins and its bytes stay."""
    spawn = get_context("spawn")
    paths = [f"{number}/b/winner" for number in range(5)]
    with spawn.Pool(8, _meet, [spawn.Barrier(8)]) as pool:
        for path in paths:
            tasks = [(root.as_uri(), path)] * 8
            [winner] = filter(None, pool.starmap(_create, tasks, chunksize=1))
            with FileArtifactStore.from_url(root.as_uri()) as store:
                assert read(store, path) == b"%d" % winner * 1000
    assert private(root) == []


def test_puts_against_deletions(store: FileArtifactStore, root: Path) -> None:
    """A-DEL-01: a put that is acknowledged after all deletions is there; none fails."""
    stop = Event()
    failures: list[BaseException] = []

    def delete() -> None:
        try:
            while not stop.is_set():
                store.delete("a/b/c")
                store.delete("a/b")
                store.delete("a")
        except BaseException as error:
            failures.append(error)

    deleters = [Thread(target=delete) for _ in range(2)]
    for deleter in deleters:
        deleter.start()
    try:
        for number in range(300):
            store.put("a/b/c", [b"%d" % number])
            with suppress(NotFound):
                assert read(store, "a/b/c") == b"%d" % number
    finally:
        stop.set()
        for deleter in deleters:
            deleter.join()
    store.put("a/b/c", [b"last"])
    assert failures == []
    assert read(store, "a/b/c") == b"last"
    assert private(root) == []


def test_parent_that_keeps_vanishing(
    store: FileArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A put that never finds its folder gives up with an error that says to try again."""

    def vanish(*_: object) -> int:
        raise FileNotFoundError(2, "injected")

    store.put("a", [b"1"])
    monkeypatch.setattr(tree, "make_folder", vanish)
    with pytest.raises(Unavailable) as caught:
        store.put("b/c", [b"1"])
    assert caught.value.outcome == "none"


def test_fork_during_a_put(store: FileArtifactStore, root: Path) -> None:
    """B-CON-01: a child forked in the middle of a put uses and closes the store by itself."""

    def chunks() -> Iterator[bytes]:
        child = os.fork()
        if child == 0:
            signal.alarm(CONTROLLED)
            try:
                store.put("child", [b"1"])
                store.close()
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        yield b"2"

    store.put("parent", chunks())
    assert paths(store) == ["child", "parent"]
