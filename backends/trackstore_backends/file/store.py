"""Artifacts as plain files below a folder of the local machine, or of a network file system."""

import errno
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import ClassVar, Self

from trackstore.errors import (
    AlreadyExists,
    BackendError,
    Conflict,
    InvalidRequest,
    NotFound,
    Unavailable,
)
from trackstore.model import ArtifactInfo, ArtifactVersion, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_backends.calls import Calls
from trackstore_backends.file import listing, tree, versions
from trackstore_backends.file.errors import ABSENT, translated
from trackstore_backends.file.staging import (
    Staged,
    discard,
    empty_trash,
    folders_kept,
    staged_file,
    sweep_incoming,
)
from trackstore_backends.file.urls import KEPT, place_of

_MOST_ATTEMPTS = 100
"""How often a put makes its folder again while others delete what is in it."""
_LOOK_AGAIN = ABSENT | {errno.EEXIST}
"""What others did between a look at the path and the publishing of the file."""
_CHUNK = 1024 * 1024


class FileArtifactStore(ArtifactStore):
    """Each artifact is one file, at its own path: any tool can read the folder.

    `docs/backends/file.md` has the layout, the guarantees and the limits.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")

    def __init__(self, root: Path, kept: int = KEPT) -> None:
        self._root = root
        self._kept = kept
        self._calls = Calls()
        self._swept = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(*place_of(url))

    def close(self) -> None:
        self._calls.close()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        names = tree.names_of(path)
        with self._calls:
            self._sweep_once()
            with staged_file(self._root) as staged:
                staged.write(chunks)
                with translated():
                    self._publish(staged, names, if_absent=if_absent)
            return ArtifactInfo(path, staged.size)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        _check_range(start, length)
        names = tree.names_of(path)
        with self._calls, translated():
            file, status = tree.open_file(self._root, names)
        return self._reader(file, status.st_size, start, length)

    def _reader(self, file: int, size: int, start: int, length: int | None) -> ArtifactReader:
        end = size if length is None else min(start + length, size)
        return ArtifactReader(_Chunks(self._calls, file, start, end), size)

    def stat(self, path: str) -> ArtifactInfo:
        with self._calls, translated():
            return listing.describe(self._root, path)

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        entries = listing.all_files if deep else listing.one_level
        with self._calls, translated():
            found = list(islice(entries(self._root, prefix, after or "", limit + 1), limit + 1))
        page = found[:limit]
        return Page(page, page[-1].path if len(found) > limit else None)

    def delete(self, path: str) -> None:
        names = tree.names_of(path)
        with self._calls:
            with suppress(NotFound), translated():
                discard(self._root, names)
            with translated("unknown"):
                versions.forget(self._root, names)
                self._empty_trash()

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        names = tree.names_of(path)
        with self._calls, translated():
            known = versions.newest_first(self._root, names, after)
            found = list(islice(known, limit + 1))
        page = found[:limit]
        return Page(page, page[-1].id if len(found) > limit else None)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        _check_range(start, length)
        names = tree.names_of(path)
        with self._calls, translated():
            file, status = versions.open_version(self._root, names, version)
        return self._reader(file, status.st_size, start, length)

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        """What uploads leave behind is of the whole store, and of none of its folders."""
        with self._calls, translated():
            if prefix or not (self._root / tree.PRIVATE).exists():
                return 0
            swept = sweep_incoming(self._root, time.time() - older_than_s)
            return swept + empty_trash(self._root)

    def _empty_trash(self) -> None:
        if (self._root / tree.PRIVATE).exists():
            empty_trash(self._root)

    def _sweep_once(self) -> None:
        if not self._swept:
            with translated():
                sweep_incoming(self._root)
            self._swept = True

    def _publish(self, staged: Staged, names: list[bytes], *, if_absent: bool) -> None:
        def is_published() -> bool:
            return self._is_published(staged, names, if_absent=if_absent)

        if is_published():
            return
        with folders_kept(self._root):
            if not any(is_published() for _ in range(_MOST_ATTEMPTS)):
                raise Unavailable("the folder of this artifact keeps being deleted by others")

    def _is_published(self, staged: Staged, names: list[bytes], *, if_absent: bool) -> bool:
        """Publish the file, or tell that its place has changed meanwhile: then look again."""
        try:
            with tree.make_folder(self._root, names[:-1]) as folder:
                self._place(staged, folder, names[-1], if_absent=if_absent)
                with translated("unknown"):
                    tree.sync(folder)
        except IsADirectoryError as error:
            if not listing.remove_hollow(self._root, names):
                raise Conflict("a folder has this artifact's path") from error
        except OSError as error:
            if error.errno not in _LOOK_AGAIN:
                raise
        else:
            return True
        return False

    def _place(self, staged: Staged, folder: int, name: bytes, *, if_absent: bool) -> None:
        is_taken = _is_file(folder, name)
        if is_taken and if_absent:
            raise AlreadyExists("an artifact of this path is there", field="path")
        if if_absent:
            staged.create(folder, name)
        elif not self._kept:
            staged.replace(folder, name)
        elif is_taken:
            versions.replace(self._root, staged, folder, name, self._kept)
        else:
            versions.create(staged, folder, name)


def _is_file(folder: int, name: bytes) -> bool:
    """Tell if a file has the name, or nothing; raise if it is what a file may not replace."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return False
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "a folder")
    if not S_ISREG(mode):
        raise Conflict("something that is no artifact, such as a link, has this path")
    return True


def _check_range(start: int, length: int | None) -> None:
    if start < 0 or (length is not None and length < 0):
        raise InvalidRequest("a range of an artifact begins or is less than 0")


class _Chunks(Iterator[bytes]):
    """The chunks of one version of a file: what replaces it has another inode."""

    def __init__(self, calls: Calls, file: int, start: int, end: int) -> None:
        self._calls = calls
        self._file: int | None = file
        self._at = start
        self._end = end

    def __next__(self) -> bytes:
        if self._file is None or self._at >= self._end:
            self.close()
            raise StopIteration
        with self._calls, translated():
            chunk = os.pread(self._file, min(_CHUNK, self._end - self._at), self._at)
        if not chunk:
            raise BackendError("another program has shortened this artifact while it was read")
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    __del__ = close
