"""Artifacts as plain files below a folder of the local machine, or of a network file system."""

import errno
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import ClassVar, Self
from urllib.parse import unquote

from trackstore.errors import (
    AlreadyExists,
    BackendError,
    Conflict,
    InvalidRequest,
    NotFound,
    Unavailable,
)
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_backends.calls import Calls
from trackstore_backends.file import listing, tree
from trackstore_backends.file.errors import ABSENT, translated
from trackstore_backends.file.staging import (
    Staged,
    discard,
    empty_trash,
    staged_file,
    sweep_incoming,
)

_MOST_ATTEMPTS = 100
"""How often a put makes its folder again while others delete what is in it."""
_LOOK_AGAIN = ABSENT | {errno.EEXIST, errno.EISDIR}
"""What others did between a look at the path and the publishing of the file."""
_CHUNK = 256 * 1024


class FileArtifactStore(ArtifactStore):
    """Each artifact is one file, at its own path: any tool can read the folder.

    `docs/backends/file.md` has the layout, the guarantees and the limits.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")

    def __init__(self, root: Path) -> None:
        self._root = root
        self._calls = Calls()
        self._swept = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(_root_of(url))

    def close(self) -> None:
        self._calls.close()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        names = tree.names_of(path)
        with self._calls.call():
            self._sweep_once()
            with staged_file(self._root) as staged:
                staged.write(chunks)
                with translated():
                    self._publish(staged, names, if_absent=if_absent)
            return ArtifactInfo(path, staged.size)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        if start < 0 or (length is not None and length < 0):
            raise InvalidRequest("a range of an artifact begins or is less than 0")
        names = tree.names_of(path)
        with self._calls.call(), translated():
            file, size = tree.open_file(self._root, names)
        end = size if length is None else min(start + length, size)
        return ArtifactReader(_Chunks(self._calls, file, start, end), size)

    def stat(self, path: str) -> ArtifactInfo:
        with self._calls.call(), translated():
            return listing.describe(self._root, path)

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        entries = listing.all_files if deep else listing.one_level
        with self._calls.call(), translated():
            found = list(islice(entries(self._root, prefix, after or "", limit + 1), limit + 1))
        page = found[:limit]
        return Page(page, page[-1].path if len(found) > limit else None)

    def delete(self, path: str) -> None:
        names = tree.names_of(path)
        with self._calls.call():
            try:
                with translated():
                    discard(self._root, names)
            except NotFound:
                return
            with translated("unknown"):
                self._prune(names[:-1])
                empty_trash(self._root)

    def _sweep_once(self) -> None:
        if not self._swept:
            with translated():
                sweep_incoming(self._root)
            self._swept = True

    def _publish(self, staged: Staged, names: list[bytes], *, if_absent: bool) -> None:
        for _ in range(_MOST_ATTEMPTS):
            self._make_way(names, if_absent=if_absent)
            try:
                with tree.make_folder(self._root, names[:-1]) as folder:
                    staged.publish(folder, names[-1], if_absent=if_absent)
                    with translated("unknown"):
                        tree.sync(folder)
            except OSError as error:
                if error.errno not in _LOOK_AGAIN:
                    raise
            else:
                return
        raise Unavailable("the folder of this artifact keeps being deleted by others")

    def _make_way(self, names: list[bytes], *, if_absent: bool) -> None:
        """Raise if what is at the path, or above it, is not what this put may replace."""
        try:
            with tree.open_folder(self._root, names[:-1]) as folder:
                mode = os.stat(names[-1], dir_fd=folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno in ABSENT:
                raise Conflict("a folder of this artifact's path is a file or a link") from error
            raise
        if S_ISREG(mode) and if_absent:
            raise AlreadyExists("an artifact of this path is there", field="path")
        if S_ISDIR(mode) and not listing.remove_hollow(self._root, names):
            raise Conflict("a folder has this artifact's path")
        if not (S_ISREG(mode) or S_ISDIR(mode)):
            raise Conflict("something that is no artifact, such as a link, has this path")

    def _prune(self, names: list[bytes]) -> None:
        """Remove the folders that a deletion left empty."""
        while names and tree.remove_empty(self._root, names):
            names = names[:-1]


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
        with self._calls.call(), translated():
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


def _root_of(url: str) -> Path:
    scheme, _, rest = url.partition(":")
    path = rest.removeprefix("//")
    if scheme.lower() != "file" or not path.startswith("/") or path.startswith("//"):
        raise InvalidRequest("expected file:///absolute/path, with no host")
    if "?" in path or "#" in path:
        raise InvalidRequest("file: takes no options; write ? as %3F and # as %23 in a path")
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the path of a file: URL is not UTF-8") from error
    if "\0" in decoded:
        raise InvalidRequest("the path of a file: URL holds a NUL")
    return Path(decoded)
