"""fsspec's local and memory file systems as artifact stores.

They have no pages: a listing is one call, and the adapter cuts it.
"""

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import fsspec

from trackstore.errors import AlreadyExists, BackendError, Conflict, NotFound, TrackstoreError
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_subjects.adapter import Adapter


class Files(Adapter, ArtifactStore):
    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        found = sorted(self.listed(prefix, deep=deep), key=lambda info: info.path)
        start = 0 if after is None else bisect_right(found, after, key=lambda info: info.path)
        rows = found[start : start + limit]
        return Page(rows, rows[-1].path if start + limit < len(found) else None)

    @abstractmethod
    def listed(self, prefix: str, *, deep: bool) -> Iterator[ArtifactInfo]: ...


class Fsspec(Files):
    protocol: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def opened(self, path: str) -> Any:
        self.root = f"{path}/files"
        return fsspec.filesystem(self.protocol, **self.options)

    @staticmethod
    def translated(error: Exception) -> TrackstoreError:
        missing = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
        return (NotFound if isinstance(error, missing) else BackendError)(repr(error))

    def at(self, path: str) -> str:
        return f"{self.root}/{path}"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        whole = b"".join(chunks)
        try:
            self.call(self.write, self.at(path), whole, "xb" if if_absent else "wb")
        except TrackstoreError as error:
            if if_absent and isinstance(error.__cause__, FileExistsError):
                raise AlreadyExists("it is there", field="path") from error
            if isinstance(
                error.__cause__, FileExistsError | NotADirectoryError | IsADirectoryError
            ):
                raise Conflict("a file or a folder is in the way") from error
            raise
        return ArtifactInfo(path, len(whole))

    def write(self, place: str, whole: bytes, mode: str) -> None:
        with self.theirs.open(place, mode) as file:
            file.write(whole)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        if not start and length is None:
            whole = self.call(self.theirs.cat_file, self.at(path))
            return ArtifactReader(iter([whole]), len(whole))
        size = self.call(self.theirs.size, self.at(path))
        end = size if length is None else min(start + length, size)
        part = self.call(self.theirs.cat_file, self.at(path), min(start, size), end)
        return ArtifactReader(iter([part]), size)

    def stat(self, path: str) -> ArtifactInfo:
        return self.as_ours(self.call(self.theirs.info, self.at(path)))

    def as_ours(self, found: dict[str, Any]) -> ArtifactInfo:
        path = found["name"].removeprefix(f"{self.root}/")
        folder = found["type"] == "directory"
        return ArtifactInfo(path, None if folder else found["size"], folder)

    def listed(self, prefix: str, *, deep: bool) -> Iterator[ArtifactInfo]:
        folder = self.at(prefix).rstrip("/")
        if not self.call(self.theirs.isdir, folder):
            return iter(())
        if deep:
            return map(self.as_ours, self.call(self.theirs.find, folder, detail=True).values())
        return map(self.as_ours, self.call(self.theirs.ls, folder, detail=True))

    def delete(self, path: str) -> None:
        try:
            if self.stat(path).is_folder:
                self.call(self.theirs.rm, self.at(path), recursive=True)
            else:
                self.call(self.theirs.rm_file, self.at(path))
        except NotFound:
            pass


class FsspecLocal(Fsspec):
    protocol = "file"
    options: ClassVar = {"auto_mkdir": True}
    guarantees: ClassVar = Guarantees(durability="process-crash")


class FsspecMemory(Fsspec):
    protocol = "memory"
    guarantees: ClassVar = Guarantees(durability="none")
    ephemeral: ClassVar = True
