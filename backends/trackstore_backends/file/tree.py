"""Folders and files below a root, reached so that no symbolic link can lead out of it.

Every step opens one name in a folder that is already open, and refuses links (`O_NOFOLLOW`), so
there is no moment between a check and its use.  Names are bytes: text is UTF-8 whatever the
locale.  No call holds more than a few descriptors, however deep the tree.
"""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from stat import S_ISREG
from unicodedata import normalize

from trackstore.errors import BackendError, Conflict, InvalidRequest, NotFound
from trackstore_backends.file.errors import ABSENT

PRIVATE = ".trackstore"
"""The store's own folder in its root.  A name that a file system could take for it is refused at
every level and never listed, so that stores whose roots lie in each other are safe too."""

_ROOT = os.O_RDONLY | os.O_DIRECTORY
_FOLDER = _ROOT | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
_GET_GENERATION = 0x80087601
"""FS_IOC_GETVERSION of Linux; elsewhere it is refused, and every folder is synced each time."""
_MOST_REMEMBERED = 10_000
_Identity = tuple[int, int, bytes]
_Entry = tuple[_Identity | None, bytes, _Identity | None]
_synced: set[_Entry] = set()
Names = Sequence[bytes]


def names_of(path: str) -> list[bytes]:
    """Split a path; also refuse what no caller that checked it can send."""
    segments = path.split("/")
    for segment in segments:
        if segment in ("", ".", "..") or "\0" in segment:
            raise InvalidRequest("an artifact path has an empty, '.' or '..' segment or a NUL")
        if is_private(segment):
            raise InvalidRequest(f"the file store keeps the name {PRIVATE} for itself")
    return [segment.encode() for segment in segments]


def is_private(name: str) -> bool:
    return name.startswith(".") and normalize("NFD", name).casefold() == PRIVATE


def sync(descriptor: int) -> None:
    """Return once a file's bytes, or a folder's entries, survive a loss of power."""
    if _FULL_SYNC is None:
        os.fsync(descriptor)
    else:  # macOS: fsync leaves them in the drive's cache
        fcntl.fcntl(descriptor, _FULL_SYNC)


@contextmanager
def open_folder(root: Path | int, names: Names) -> Iterator[int]:
    """Open a folder below the root, which alone may be reached through links."""
    folder = os.dup(root) if isinstance(root, int) else os.open(root, _ROOT)
    try:
        for name in names:
            below = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)


@contextmanager
def make_folder(root: Path | int, names: Names) -> Iterator[int]:
    """Open a folder below the root, made if need be, that a loss of power does not take away.

    Folders that were there are synced too: another process may have made them just now.  Only what
    this process has synced once need not be synced again.

    Raises `FileNotFoundError` if another removes a folder meanwhile, `Conflict` if one of the names
    is a file's or a link's.
    """
    folder = os.dup(root) if isinstance(root, int) else _open_or_make_root(root)
    try:
        known = _identity(folder) if names else None
        for name in names:
            above, folder = folder, _enter(name, folder)
            try:
                entry = (known, name, known := _identity(folder))
                _make_durable(above, entry)
            finally:
                os.close(above)
        yield folder
    finally:
        os.close(folder)


def _enter(name: bytes, folder: int) -> int:
    try:
        return _open_or_make(name, folder)
    except FileNotFoundError:  # deleted meanwhile
        raise
    except OSError as error:
        if error.errno in ABSENT:
            raise Conflict("a folder of this artifact's path is a file or a link") from error
        raise


def _make_durable(above: int, entry: _Entry) -> None:
    """Sync the entry of a folder, unless it is one that was synced before.

    A disk takes as long to sync what is clean, which for small files was most of the time.
    """
    if entry in _synced:
        return
    sync(above)
    if entry[0] and entry[2]:
        if len(_synced) >= _MOST_REMEMBERED:
            _synced.clear()
        _synced.add(entry)


def _identity(folder: int) -> _Identity | None:
    """Return what no other folder ever has, or None where the file system does not tell.

    An inode number is soon given to another folder; its generation then differs.
    """
    generation = bytearray(8)
    try:
        fcntl.ioctl(folder, _GET_GENERATION, generation)
    except OSError:
        return None
    status = os.fstat(folder)
    return status.st_dev, status.st_ino, bytes(generation)


@contextmanager
def open_private(root: Path) -> Iterator[int]:
    """Open the store's own folder, made if need be; nothing in it needs to outlive a crash."""
    try:
        folder = _open_or_make_root(root)
        try:
            private = _open_or_make(PRIVATE.encode(), folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in ABSENT:
            raise BackendError(
                f"the file store's root, or {PRIVATE} in it, is no folder"
            ) from error
        raise
    try:
        yield private
    finally:
        os.close(private)


def _open_or_make_root(root: Path) -> int:
    try:
        return os.open(root, _ROOT)
    except FileNotFoundError:
        missing = list(takewhile(lambda path: not path.exists(), (root, *root.parents)))
        root.mkdir(parents=True, exist_ok=True)
    for made in missing:
        with open_folder(made.parent, ()) as parent:
            sync(parent)
    return os.open(root, _ROOT)


def _open_or_make(name: bytes, folder: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        return os.open(name, _FOLDER, dir_fd=folder)


def open_file(root: Path | int, names: Names) -> tuple[int, os.stat_result]:
    """Return a descriptor of a regular file, and its status."""
    with open_folder(root, names[:-1]) as folder:
        descriptor = os.open(names[-1], _FILE, dir_fd=folder)
    status = os.fstat(descriptor)
    if S_ISREG(status.st_mode):
        return descriptor, status
    os.close(descriptor)
    raise NotFound("there is no such artifact")


def remove_empty(root: Path, names: Names) -> bool:
    """Remove a folder if it is empty, in one step; tell whether it is gone."""
    try:
        with open_folder(root, names[:-1]) as parent:
            os.rmdir(names[-1], dir_fd=parent)
    except OSError as error:
        if error.errno in ABSENT:
            return True
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True
