"""The private folder: files on their way in, and what is on its way out.

A file on its way in belongs to the process that holds its `flock`, which the kernel takes back
however that process ends.  So whoever gets the lock may remove what a killed one left behind, at
once and without looking at clocks.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR

from trackstore_backends.file.errors import translated
from trackstore_backends.file.tree import (
    PRIVATE,
    Names,
    open_folder,
    open_private,
    remove_empty,
    sync,
)

_IN, _OUT = "in-", "out-"
_LOCK = b"lock"
_STEPS = (1, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)
"""Nanoseconds by which file systems tell times apart."""
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})


class Staged:
    """A file that no reader can see until it is published."""

    def __init__(self, private: int) -> None:
        self._private = private
        self._name, self._file = _new_locked_file(private)
        self.size = 0

    def write(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:  # what it raises is the caller's, and not ours to translate
            with translated():
                self._write(memoryview(chunk).cast("B"))
        with translated():
            self._set_time(time.time_ns())
            sync(self._file)

    def come_after(self, before: int) -> None:
        """See that the file's time is after `before`, by as little as the file system can tell."""
        if os.fstat(self._file).st_mtime_ns > before:
            return
        for step in _STEPS:
            self._set_time(before + step)
            if os.fstat(self._file).st_mtime_ns > before:
                break
        sync(self._file)

    def _set_time(self, nanoseconds: int) -> None:
        os.utime(self._file, ns=(nanoseconds, nanoseconds))

    def _write(self, rest: memoryview) -> None:
        self.size += len(rest)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def create(self, folder: int, name: bytes) -> None:
        """Give the file its name in one step, or raise `FileExistsError` if it is taken."""
        os.link(self._name, name, src_dir_fd=self._private, dst_dir_fd=folder)

    def replace(self, folder: int, name: bytes) -> None:
        """Give the file its name in one step, whatever has it."""
        os.rename(self._name, name, src_dir_fd=self._private, dst_dir_fd=folder)

    def close(self) -> None:
        with translated("unknown"):
            try:
                with suppress(FileNotFoundError):  # it was renamed
                    os.unlink(self._name, dir_fd=self._private)
            finally:
                os.close(self._file)


@contextmanager
def staged_file(root: Path) -> Iterator[Staged]:
    with ExitStack() as stack:
        with translated():
            staged = Staged(stack.enter_context(open_private(root)))
        stack.callback(staged.close)
        yield staged


def _new_locked_file(private: int) -> tuple[bytes, int]:
    while True:
        name = _new_name(_IN)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        file = os.open(name, flags, 0o666, dir_fd=private)
        try:
            _lock(file)
            if os.fstat(file).st_nlink:
                return name, file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # swept between the two steps


def _new_name(prefix: str) -> bytes:
    return f"{prefix}{token_hex(16)}".encode()


@contextmanager
def locked(folder: int, how: int = fcntl.LOCK_EX) -> Iterator[bool]:
    """Hold the lock of a folder, by a file in it, and tell whether it was got."""
    file = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666, dir_fd=folder)
    try:
        is_locked = _lock(file, how)
        yield is_locked
        if is_locked:  # a child that was forked meanwhile would hold it otherwise
            fcntl.flock(file, fcntl.LOCK_UN)
    finally:
        os.close(file)


def _lock(file: int, how: int = fcntl.LOCK_EX) -> bool:
    """Tell whether the lock was got: not if another has it, nor where there are no locks."""
    try:
        fcntl.flock(file, how)
    except OSError as error:
        if error.errno in _NO_LOCKS or isinstance(error, BlockingIOError):
            return False
        raise
    return True


@contextmanager
def folders_kept(root: Path) -> Iterator[None]:
    """Let no deletion remove an empty folder, which a put may just have made."""
    with open_private(root) as private, locked(private, fcntl.LOCK_SH):
        yield


def prune(root: Path, names: Names) -> None:
    """Remove folders that are empty, from the last on, unless a put holds on to them."""
    if not (root / PRIVATE).exists():
        return
    with (
        open_private(root) as private,
        locked(private, fcntl.LOCK_EX | fcntl.LOCK_NB) as is_ours,
    ):
        while is_ours and names and remove_empty(root, names):
            names = names[:-1]


def sweep_incoming(root: Path, untouched_since: float = float("inf")) -> int:
    """Remove the files of writers that were killed, and return how many there were.

    Of those that were written to after `untouched_since`, in seconds, none is removed.
    """
    removed = 0
    with open_private(root) as private:
        for name in _names(private, _IN):
            # finished just now, or another account's
            with suppress(FileNotFoundError, PermissionError):
                removed += _remove_unowned(name, private, untouched_since)
    return removed


def _remove_unowned(name: bytes, private: int, untouched_since: float) -> bool:
    file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=private)
    try:
        is_left_over = os.fstat(file).st_mtime <= untouched_since and _lock(
            file, fcntl.LOCK_EX | fcntl.LOCK_NB
        )
        if is_left_over:
            os.unlink(name, dir_fd=private)
        return is_left_over
    finally:
        os.close(file)


def discard(root: Path, names: Names) -> None:
    """Take a file or a whole folder out of sight in one step, for good."""
    with open_folder(root, names[:-1]) as folder:
        os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
        with open_private(root) as private:
            os.rename(names[-1], _new_name(_OUT), src_dir_fd=folder, dst_dir_fd=private)
        with translated("unknown"):
            sync(folder)


def empty_trash(root: Path) -> int:
    """Remove what was discarded, by this process or by one that did not come to it.

    Return how much there was: files, and folders with all in them.
    """
    with open_private(root) as private:
        pending = _names(private, _OUT)
        found = len(pending)
        while pending:
            with suppress(FileNotFoundError):  # another process is at it too
                pending += _remove(pending.pop(), private)
    return found


def _remove(name: bytes, private: int) -> list[bytes]:
    """Remove a file, or a folder whose own folders are moved up here first, and returned.

    So no depth of folders needs more descriptors, and a kill leaves nothing but more trash.
    """
    if not S_ISDIR(os.stat(name, dir_fd=private, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=private)
        return []
    moved: list[bytes] = []
    with open_folder(private, [name]) as folder, os.scandir(folder) as entries:
        for entry in entries:
            inner = os.fsencode(entry.name)
            if entry.is_dir(follow_symlinks=False):
                moved.append(_new_name(_OUT))
                os.rename(inner, moved[-1], src_dir_fd=folder, dst_dir_fd=private)
            else:
                os.unlink(inner, dir_fd=folder)
    try:
        os.rmdir(name, dir_fd=private)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        moved.append(name)  # a put that was under way has come in
    return moved


def _names(private: int, prefix: str) -> list[bytes]:
    return [os.fsencode(name) for name in os.listdir(private) if name.startswith(prefix)]
