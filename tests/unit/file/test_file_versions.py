"""Old versions of a local file: how many, for how long, and what a kill or a race leaves."""

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

from provision.file_store import paths, private, read
from trackstore.errors import InvalidRequest, NotFound
from trackstore_backends.file import FileArtifactStore
from trackstore_backends.file.tree import PRIVATE


def versions(store: FileArtifactStore, path: str) -> list[bytes]:
    found = store.scan_versions(path, None, 1_000).items
    return [b"".join(store.get_version(path, each.id)) for each in found]


def opened(root: Path, kept: int) -> FileArtifactStore:
    return FileArtifactStore.from_url(f"{root.as_uri()}?versions={kept}")


def test_as_many_are_kept_as_the_url_says(root: Path) -> None:
    """The newest ones; ten by default, and none with `versions=0`."""
    for kept, url in ((3, "?versions=3"), (0, "?versions=0"), (10, "")):
        path = f"kept{kept}/a"
        with FileArtifactStore.from_url(root.as_uri() + url) as store:
            for number in range(15):
                store.put(path, [b"%d" % number])
            assert versions(store, path) == [b"%d" % n for n in range(14, 13 - kept, -1)]


@pytest.mark.parametrize(
    "query", ["", "versions", "versions=", "versions=-1", "versions=x", "versions=1&versions=2"]
)
def test_a_bad_option_is_refused(root: Path, query: str) -> None:
    """There is one option, and it is a number."""
    with pytest.raises(InvalidRequest, match="versions=10"):
        FileArtifactStore.from_url(f"{root.as_uri()}?{query}")


@pytest.mark.parametrize("gone", ["f/a", "f"])
def test_versions_go_with_the_file(store: FileArtifactStore, root: Path, gone: str) -> None:
    """Deleting a file, or a folder above it, leaves nothing of what it was before."""
    for path in ("f/a", "top"):
        for number in range(3):
            store.put(path, [b"%d" % number])
    store.delete(gone)
    assert versions(store, "f/a") == []
    assert not (root / "f").exists()
    store.put("f/a", [b"again"])
    assert versions(store, "f/a") == [b"again"]
    assert versions(store, "top") == [b"2", b"1", b"0"]
    assert private(root) == []


def test_what_a_cut_deletion_left_is_not_in_the_way(store: FileArtifactStore, root: Path) -> None:
    """A folder that holds nothing but old versions is none: a file may take its place."""
    store.put("f/a", [b"1"])
    store.put("f/a", [b"2"])
    (root / "f/a").unlink()
    assert paths(store) == []
    assert versions(store, "f/a") == []
    with pytest.raises(NotFound):
        store.stat("f")
    store.put("f", [b"a file"])
    assert read(store, "f") == b"a file"


def test_clocks_that_go_back_keep_the_order(store: FileArtifactStore, root: Path) -> None:
    """What is put later is newer, whatever time the file before it has."""
    store.put("a", [b"1"])
    ahead = (root / "a").stat().st_mtime_ns + 10**18
    os.utime(root / "a", ns=(ahead, ahead))
    store.put("a", [b"2"])
    store.put("a", [b"3"])
    assert versions(store, "a") == [b"3", b"2", b"1"]


def test_a_file_system_without_links(
    store: FileArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old bytes are copied where they cannot be linked."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no links")

    monkeypatch.setattr(os, "link", refuse)
    for number in range(3):
        store.put("f/a", [b"%d" % number])
    assert versions(store, "f/a") == [b"2", b"1", b"0"]


def test_readers_beside_writers_find_what_is_listed(root: Path) -> None:
    """While versions come and are pruned, each one listed is whole, or no longer there."""
    with opened(root, 3) as store:
        store.put("a", [b"0" * 1_000])

        def write(digit: bytes) -> None:
            for _ in range(15):
                store.put("a", [digit * 500, digit * 500])

        writers = [Thread(target=write, args=(digit,)) for digit in (b"1", b"2", b"3")]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            for each in store.scan_versions("a", None, 10).items:
                with suppress(NotFound):
                    whole = b"".join(store.get_version("a", each.id))
                    assert (len(whole), len(set(whole))) == (1_000, 1)
        for writer in writers:
            writer.join()
        assert len(versions(store, "a")) == 4


DEADLY = ("link", "rename", "mkdir", "unlink", "open", "fsync", "utime", "rmdir")
"""Calls at each of which a process is killed."""
Work = Callable[[FileArtifactStore], None]


def dying(store: FileArtifactStore, work: Work, calls: int) -> bool:
    """Do the work in a child that dies after so many calls; tell whether it came to its end."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    left = count(calls, -1)

    def deadly(call: Callable[..., object]) -> Callable[..., object]:
        return lambda *args, **more: call(*args, **more) if next(left) > 0 else os._exit(9)

    try:
        for name in DEADLY:
            setattr(os, name, deadly(getattr(os, name)))
        work(store)
        os._exit(0)
    finally:
        os._exit(1)


def killed_everywhere(root: Path, work: Work, judge: Work) -> int:
    """Let the work be killed at each call, and return how many calls there are."""
    for calls in range(200):
        with opened(root, 2) as store:
            store.delete("f")
            for old in (b"1", b"2"):
                store.put("f/a", [old])
            is_done = dying(store, work, calls)
        with opened(root, 2) as store:
            judge(store)
        if is_done:
            return calls
    raise AssertionError("it never ends")


def overwrite(store: FileArtifactStore) -> None:
    store.put("f/a", [b"new"])


def test_an_overwrite_that_is_killed_anywhere(root: Path) -> None:
    """Either nothing has happened, or the old file has become a version: nothing is lost."""

    def judge(store: FileArtifactStore) -> None:
        assert read(store, "f/a") == versions(store, "f/a")[0]
        assert versions(store, "f/a") in ([b"2", b"1"], [b"new", b"2", b"1"])
        store.put("f/a", [b"later"])
        assert versions(store, "f/a")[-2:] in ([b"2", b"1"], [b"new", b"2"])

    assert killed_everywhere(root, overwrite, judge) > 10


def test_a_deletion_that_is_killed_anywhere(root: Path) -> None:
    """The next deletion of the file, or of its folder, leaves nothing of any version."""

    def judge(store: FileArtifactStore) -> None:
        assert paths(store) in ([], ["f/a"])
        store.delete("f/a")
        assert versions(store, "f/a") == []
        assert not (root / "f" / PRIVATE).exists()
        assert [path for path in root.rglob("*") if path.is_file()] == [root / PRIVATE / "lock"]

    assert killed_everywhere(root, lambda store: store.delete("f/a"), judge) > 3


def test_sweeping_removes_what_nobody_owns(store: FileArtifactStore, root: Path) -> None:
    """What killed processes left is removed if it is old enough, and its number told."""
    assert store.sweep_uploads("", 0) == 0
    assert not root.exists()
    store.put("a", [b"1"])
    for name in ("in-1", "in-2", "out-1"):
        (root / PRIVATE / name).write_bytes(b"left")
    os.utime(root / PRIVATE / "in-1", (1, 1))
    assert store.sweep_uploads("folder", 0) == 0
    assert store.sweep_uploads("", 3_600) == 2
    assert [path.name for path in private(root)] == ["in-2"]
    assert store.sweep_uploads("", -60) == 1
    assert paths(store) == ["a"]
