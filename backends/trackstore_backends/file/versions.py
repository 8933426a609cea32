"""Old versions: what an overwrite keeps, out of sight and beside the file.

The versions of `a/b` are the files in `a/.trackstore/versions/b`, so that one rename takes a
folder with all versions of what is in it.  A version's name is its id, made of when it was
published and of its inode: a file has both before and after it is overwritten.  Overwriting is done
under a lock, which the kernel takes back however its holder ends.
"""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from stat import S_ISREG

from trackstore.errors import NotFound
from trackstore.model import ArtifactVersion
from trackstore_backends.file.errors import ABSENT, translated
from trackstore_backends.file.staging import Staged, discard, locked, prune, staged_file
from trackstore_backends.file.tree import (
    PRIVATE,
    Names,
    make_folder,
    open_file,
    open_folder,
    sync,
)

_OWN = (PRIVATE.encode(), b"versions")
_ID = re.compile(r"\d{20}-[0-9a-f]{1,16}")
_NO_LINKS = frozenset(
    {errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV}
)
"""What making a hard link says where that cannot be, or may not, because the file is another's."""
_CHUNK = 256 * 1024


def create(staged: Staged, folder: int, name: bytes) -> None:
    """Publish a file where none is, so that one which comes in between is not lost."""
    try:
        staged.create(folder, name)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        staged.replace(folder, name)


def replace(root: Path, staged: Staged, folder: int, name: bytes, most: int) -> None:
    """Publish a file in the place of another, which is kept as one of `most` versions.

    Raises `FileNotFoundError` if the other has gone meanwhile.
    """
    with make_folder(folder, (*_OWN, name)) as versions, locked(versions):
        kept = _keep(root, folder, name, versions)
        sync(versions)
        staged.come_after(kept.st_mtime_ns)
        staged.replace(folder, name)
        with translated("unknown"):
            _prune(versions, most)


def _keep(root: Path, folder: int, name: bytes, versions: int) -> os.stat_result:
    """Give the file that is there a name among the versions, and return its status."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not S_ISREG(status.st_mode):
        raise FileExistsError(errno.EEXIST, "no file any longer")
    ident = id_of(status).encode()
    try:
        os.link(name, ident, src_dir_fd=folder, dst_dir_fd=versions, follow_symlinks=False)
    except FileExistsError:  # an overwrite was cut short before it published
        return status
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _copy(root, folder, name, versions)
    linked = os.stat(ident, dir_fd=versions, follow_symlinks=False)
    if id_of(linked) != ident.decode():  # deleted and put again between the two steps
        os.unlink(ident, dir_fd=versions)
        raise FileNotFoundError(errno.ENOENT, "another file by now")
    return linked


def _copy(root: Path, folder: int, name: bytes, versions: int) -> os.stat_result:
    file, status = open_file(folder, (name,))
    with open(file, "rb") as old, staged_file(root) as copy:  # noqa: PTH123 - a descriptor
        copy.write(iter(partial(old.read, _CHUNK), b""))
        copy.replace(versions, id_of(status).encode())
    return status


def _prune(versions: int, most: int) -> None:
    for ident in _ids(versions)[most:]:
        with suppress(FileNotFoundError):
            os.unlink(ident, dir_fd=versions)


def _ids(versions: int) -> Sequence[str]:
    """Return the ids of what is kept, the newest first."""
    return sorted(filter(_ID.fullmatch, os.listdir(versions)), reverse=True)


def id_of(status: os.stat_result) -> str:
    return f"{max(0, status.st_mtime_ns):020d}-{status.st_ino:x}"


def newest_first(root: Path, names: Names, after: str | None) -> Iterator[ArtifactVersion]:
    """Yield the versions of a file that is there, the one that is read by its path first."""
    try:
        with open_folder(root, names[:-1]) as folder:
            current = os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in ABSENT:
            return
        raise
    if not S_ISREG(current.st_mode):
        return
    newest = id_of(current)
    if after is None:
        yield _version(newest, current)
    for ident in _kept(root, names):
        if ident != newest and (after in (None, newest) or ident < after):
            with suppress(FileNotFoundError):  # pruned since the folder was read
                yield _version(ident, _status(root, names, ident))


def _kept(root: Path, names: Names) -> Sequence[str]:
    with suppress(FileNotFoundError), open_folder(root, _folder_of(names)) as versions:
        return _ids(versions)
    return ()


def _status(root: Path, names: Names, ident: str) -> os.stat_result:
    with open_folder(root, _folder_of(names)) as versions:
        return os.stat(ident, dir_fd=versions, follow_symlinks=False)


def _version(ident: str, status: os.stat_result) -> ArtifactVersion:
    return ArtifactVersion(ident, status.st_size, int(ident[:20]) // 1_000_000)


def open_version(root: Path, names: Names, ident: str) -> tuple[int, os.stat_result]:
    """Return a descriptor of a version and its status; raise `NotFound` if it is not kept."""
    if not _ID.fullmatch(ident):
        raise NotFound("there is no such version of this artifact")
    for _ in range(2):  # an overwrite may move it from the one place to the other
        with suppress(FileNotFoundError, NotADirectoryError, NotFound):
            return open_file(root, (*_folder_of(names), ident.encode()))
        with suppress(FileNotFoundError, NotADirectoryError, NotFound):
            file, status = open_file(root, names)
            if id_of(status) == ident:
                return file, status
            os.close(file)
    raise NotFound("this artifact has no such version, or no longer")


def forget(root: Path, names: Names) -> None:
    """Drop all versions of a file, and the folders that this leaves empty."""
    with suppress(NotFound), translated():
        discard(root, _folder_of(names))
    prune(root, [*names[:-1], *_OWN])


def _folder_of(names: Names) -> Names:
    return (*names[:-1], *_OWN, names[-1])
