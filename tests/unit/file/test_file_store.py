import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from provision.file_store import paths, private, read
from trackstore.errors import (
    BackendError,
    Conflict,
    InvalidRequest,
    InvalidState,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.model import ArtifactInfo
from trackstore_backends.file import FileArtifactStore
from trackstore_backends.file.tree import PRIVATE

CONTROLLED = 20
"""Seconds within which another process or thread must have come to its next step."""


# URLs


def test_url_is_decoded_once(tmp_path: Path) -> None:
    """The path of a file: URL is percent-decoded, once."""
    with FileArtifactStore.from_url(f"file://{tmp_path}/a%20b%2525%3F") as store:
        store.put("x", [b"1"])
    assert (tmp_path / "a b%25?/x").read_bytes() == b"1"


@pytest.mark.parametrize(
    "url",
    [
        "file:",
        "file://",
        "file:relative",
        "file://host/x",
        "file://localhost/x",
        "file:////x",
        "file:///x?y=1",
        "file:///x#y",
        "file:///%00",
        "file:///%ff",
        "/x",
        "s3://x",
    ],
)
def test_bad_url(url: str) -> None:
    """Anything but an absolute path without host or options is refused."""
    with pytest.raises(InvalidRequest):
        FileArtifactStore.from_url(url)


def test_root_is_made_by_the_first_put(store: FileArtifactStore, root: Path) -> None:
    """Until something is put, the store is empty and its root is not touched."""
    assert paths(store) == []
    with pytest.raises(NotFound):
        store.stat("a")
    store.delete("a")
    assert not root.exists()
    store.put("a/b", [b"1"])
    assert (root / "a/b").read_bytes() == b"1"


# What cannot be reached: A-PTH-02


@pytest.fixture
def canary(tmp_path: Path, root: Path) -> Iterator[Path]:
    """A file outside the root, with links inside that lead to it; it must not change."""
    outside = tmp_path / "outside"
    outside.mkdir()
    canary = outside / "canary"
    canary.write_bytes(b"canary")
    root.mkdir()
    (root / "file-link").symlink_to(canary)
    (root / "folder-link").symlink_to(outside)
    (root / "relative-link").symlink_to("../outside")
    (root / "dangling").symlink_to(outside / "new")
    (root / "sub").mkdir()
    (root / "sub/folder-link").symlink_to(outside)
    (root / "sub/real").write_bytes(b"1")
    before = canary.stat()
    yield canary
    assert canary.read_bytes() == b"canary"
    assert canary.stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in outside.iterdir()] == ["canary"]


LINKED = [
    "file-link",
    "folder-link",
    "folder-link/canary",
    "folder-link/new",
    "relative-link/canary",
    "sub/folder-link/canary",
    "sub/folder-link/new/er",
    "dangling",
]
CLIMBING = ["../outside/canary", "sub/../../outside/canary", "/etc/passwd", "..", ".", "", "a\0"]


@pytest.mark.parametrize("path", LINKED)
def test_links_lead_nowhere(store: FileArtifactStore, canary: Path, path: str) -> None:
    """A link is no artifact and no folder, for any verb."""
    for absent in (store.get, store.stat):
        with pytest.raises(NotFound):
            absent(path)
    for deep in (True, False):
        assert store.scan(path, None, 10, deep=deep).items == []
    for if_absent in (True, False):
        with pytest.raises(Conflict):
            store.put(path, [b"overwritten"], if_absent=if_absent)
    store.delete(path)


def test_links_are_not_listed(store: FileArtifactStore, canary: Path) -> None:
    """Listings pass over links, and over folders that hold nothing else."""
    (canary.parent.parent / "root/only-links").mkdir()
    (canary.parent.parent / "root/only-links/x").symlink_to(canary)
    assert paths(store) == ["sub/real"]
    assert [info.path for info in store.scan("", None, 10, deep=False).items] == ["sub"]
    with pytest.raises(NotFound):
        store.stat("only-links")


def test_deleting_a_folder_takes_its_links_only(
    store: FileArtifactStore, canary: Path, root: Path
) -> None:
    """A tree is removed with the links in it, and never with what they lead to."""
    store.delete("sub")
    store.delete("folder-link")
    assert not (root / "sub").exists()
    assert not os.path.lexists(root / "folder-link")
    assert private(root) == []


@pytest.mark.parametrize("path", CLIMBING)
def test_climbing_paths(store: FileArtifactStore, canary: Path, path: str) -> None:
    """Even a caller that checks nothing cannot climb out."""
    for verb in (
        lambda: store.get(path),
        lambda: store.stat(path),
        lambda: store.put(path, [b"overwritten"]),
        lambda: store.delete(path),
    ):
        with pytest.raises(InvalidRequest):
            verb()
    if path:
        with pytest.raises(InvalidRequest):
            store.scan(path, None, 10, deep=True)


@pytest.mark.parametrize("name", [PRIVATE, ".TrackStore", ".track\u017ftore"])
@pytest.mark.parametrize("parent", ["", "a/"])
def test_private_folder_is_out_of_reach(
    store: FileArtifactStore, root: Path, name: str, parent: str
) -> None:
    """No path reaches the store's own folder, not even where a file system folds case."""
    store.put("a/b", [b"1"])
    for path in (f"{parent}{name}", f"{parent}{name}/in-1"):
        for verb in (store.get, store.stat, store.delete, lambda path: store.put(path, [b"1"])):
            with pytest.raises(InvalidRequest):
                verb(path)
    (root / "a" / PRIVATE).mkdir()
    (root / "a" / PRIVATE / "x").write_bytes(b"1")
    assert paths(store) == ["a/b"]


def test_private_folder_that_is_a_link(store: FileArtifactStore, canary: Path, root: Path) -> None:
    """A planted link in place of the private folder is not followed."""
    (root / PRIVATE).symlink_to(canary.parent)
    with pytest.raises(BackendError):
        store.put("x", [b"1"])


def test_special_files(store: FileArtifactStore, root: Path) -> None:
    """A pipe is no artifact, and reading it does not hang."""
    root.mkdir()
    os.mkfifo(root / "pipe")
    with pytest.raises(NotFound):
        store.get("pipe")
    with pytest.raises(Conflict):
        store.put("pipe", [b"1"])
    assert paths(store) == []
    store.delete("pipe")
    assert not (root / "pipe").exists()


# Folders


def test_empty_folders_do_not_exist(store: FileArtifactStore, root: Path) -> None:
    """A folder is there while a file is: an empty one is not listed and not in the way."""
    (root / "a/b/c").mkdir(parents=True)
    with pytest.raises(NotFound):
        store.stat("a")
    assert store.scan("", None, 10, deep=False).items == []
    store.put("a", [b"1"])
    assert store.stat("a") == ArtifactInfo("a", 1)
    store.delete("a")
    store.put("x/y/z", [b"1"])
    store.delete("x/y/z")
    assert [path.name for path in root.iterdir()] == [PRIVATE]


def test_order_of_listings(store: FileArtifactStore) -> None:
    """A-LST-01: paths are sorted by code points, in any page size, and each comes once."""
    names = ["a-b", "a/b", "a/b0/x", "a0", "B", "\ud7ff", "\U0001f600", "é", "a/b-/y", "z/a/b/c"]
    for name in names:
        store.put(name, [b""])
    flat = sorted({name.partition("/")[0] for name in names})
    for deep, wanted in ((True, sorted(names)), (False, flat)):
        for limit in range(1, len(names) + 2):
            seen: list[str] = []
            after = None
            while True:
                page = store.scan("", after, limit, deep=deep)
                assert len(page.items) <= limit
                seen += [info.path for info in page.items]
                after = page.next
                if after is None:
                    break
            assert seen == wanted


def test_any_cursor(store: FileArtifactStore) -> None:
    """A page begins after any text, be it a path that was deleted or none at all."""
    names = sorted(["a", "b/c/d", "b/c/e", "b/f", "b-", "c"])
    for name in names:
        store.put(name, [b""])
    for after in ("", "a", "b", "b/", "b/c", "b/c/d", "b/c/dd", "b/zz", "b0", "~", "b/c/d/x"):
        page = store.scan("", after, 100, deep=True)
        assert [info.path for info in page.items] == [name for name in names if name > after]


def test_names_that_are_no_text(store: FileArtifactStore, root: Path) -> None:
    """A file that another program gave a name without Unicode is not an artifact."""
    store.put("a", [b""])
    try:
        (root / os.fsdecode(b"\xff")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system holds Unicode names only")
    assert paths(store) == ["a"]


def test_depth(store: FileArtifactStore, root: Path) -> None:
    """Folders may nest as deep as a path may be long, without many open files."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(list(Path("/dev/fd").iterdir())) + 20, limit[1])
    )
    path = "/".join("a" * 512)
    try:
        store.put(path, [b"1"])
        assert paths(store) == [path]
        assert store.stat("a") == ArtifactInfo("a", is_folder=True)
        store.delete("a")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert [path.name for path in root.iterdir()] == [PRIVATE]


# Ranges, errors and closing


@pytest.mark.parametrize("size", [0, 1, 300_000, 1_500_000])
def test_ranges(store: FileArtifactStore, size: int) -> None:
    """A-GET-01: a range gives what slicing the bytes gives; a negative one is refused."""
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    store.put("f", [content])
    for start in (0, 1, size - 1, size, size + 10):
        for length in (None, 0, 1, 262_144, 1_048_576, size, size + 10):
            if start >= 0:
                end = None if length is None else start + length
                assert b"".join(store.get("f", start, length)) == content[start:end]
    for start, length in ((-1, None), (0, -1)):
        with pytest.raises(InvalidRequest):
            store.get("f", start, length)


def test_name_too_long(store: FileArtifactStore) -> None:
    """A name that the file system cannot hold is over a limit, not a failure."""
    with pytest.raises(LimitExceeded):
        store.put("x" * 300, [b""])


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, BackendError),
        (errno.EIO, BackendError),
        (errno.EACCES, PermissionDenied),
        (errno.EROFS, PermissionDenied),
        (errno.EMFILE, Unavailable),
        (errno.EXDEV, Unsupported),
    ],
)
def test_errors_of_the_system(
    store: FileArtifactStore,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: type[TrackstoreError],
) -> None:
    """B-ERR-01: a failing system call becomes one of our errors, without a path in its message."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(root))

    store.put("f", [b"old"])
    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(kind) as caught:
        store.put("f", [b"new"])
    assert type(caught.value) is kind
    assert isinstance(caught.value.__cause__, OSError)
    assert str(root) not in str(caught.value)
    assert read(store, "f") == b"old"
    assert private(root) == []


def test_shortened_by_others(store: FileArtifactStore, root: Path) -> None:
    """A file that another program cuts while it is read is an error, never a short read."""
    store.put("f", [b"x" * 3_000_000])
    chunks = store.get("f")
    next(chunks)
    os.truncate(root / "f", 10)
    with pytest.raises(BackendError):
        list(chunks)


def test_close_waits(store: FileArtifactStore) -> None:
    """`close` waits for the put under way; afterwards everything raises `InvalidState`."""
    begun, go_on = Event(), Event()

    def chunks() -> Iterator[bytes]:
        begun.set()
        assert go_on.wait(CONTROLLED)
        yield b"1"

    store.put("f", [b"x" * 1_000_000])
    reading = store.get("f")
    writer = Thread(target=store.put, args=("a", chunks()))
    closer = Thread(target=store.close)
    writer.start()
    assert begun.wait(CONTROLLED)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive()
    go_on.set()
    closer.join(CONTROLLED)
    assert not closer.is_alive()
    for verb in (
        lambda: store.put("b", []),
        lambda: store.get("a"),
        lambda: next(reading),
        lambda: store.stat("a"),
        lambda: store.scan("", None, 1, deep=True),
        lambda: store.delete("a"),
    ):
        with pytest.raises(InvalidState):
            verb()
    writer.join(CONTROLLED)
