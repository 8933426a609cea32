"""Artifact stores that are broken on purpose, each in one way."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec.structs import replace

from trackstore.errors import AlreadyExists, NotFound
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader
from trackstore_conformance.mutants.wrapped import ArtifactMutant, first_rows

EVERYTHING = 1_000_000


class WrittenInPlace(ArtifactMutant):
    """Lets a file be seen while it grows, and leaves what an exception cut off."""

    killed_by = "A-PUT-02"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        written = [b""]
        info = super().put(path, written, if_absent=if_absent)
        for chunk in chunks:
            written.append(chunk)
            info = super().put(path, written)
        return info


class CutFilePublished(ArtifactMutant):
    """Keeps what came before an exception."""

    killed_by = "A-PUT-06"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        written: list[bytes] = []
        try:
            written += chunks
        except Exception:
            super().put(path, written, if_absent=if_absent)
            raise
        return super().put(path, written, if_absent=if_absent)


class EmptyFileForgotten(ArtifactMutant):
    """Keeps no file that is empty."""

    killed_by = "A-PUT-01"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        whole = b"".join(chunks)
        if not whole:
            return ArtifactInfo(path, 0)
        return super().put(path, [whole], if_absent=if_absent)


class LooksBeforeItPuts(ArtifactMutant):
    """Looks whether a file is there, and puts it a moment later."""

    killed_by = "A-PUT-04"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if if_absent:
            try:
                self.stat(path)
            except NotFound:
                return super().put(path, chunks)
            raise AlreadyExists("the path is taken", field="path")
        return super().put(path, chunks)


class RangeEndIncluded(ArtifactMutant):
    """Gives a byte more than was asked for."""

    killed_by = "A-GET-01"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return super().get(path, start, None if length is None else length + 1)


class SizeOfTheRange(ArtifactMutant):
    """Tells the size of the range, and not that of the file."""

    killed_by = "A-GET-02"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        reader = super().get(path, start, length)
        size = reader.size - start
        return ArtifactReader(reader, size if length is None else min(size, length))


class MissingFileFoundLate(ArtifactMutant):
    """Raises `NotFound` when the first chunk is asked for."""

    killed_by = "A-GET-01"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        def chunks() -> Iterator[bytes]:
            yield from self.inner.get(path, start, length)

        return ArtifactReader(chunks(), 0)


class ReadInTwoVersions(ArtifactMutant):
    """Opens the file anew for every part."""

    killed_by = "A-GET-02"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        size = self.stat(path).size or 0
        end = size if length is None else min(size, start + length)
        places = range(start, end, 4_096)
        parts = (b"".join(self.inner.get(path, at, min(4_096, end - at))) for at in places)
        return ArtifactReader(parts, size)


class PrefixOfText(ArtifactMutant):
    """Deletes whatever begins with the path, slash or no slash."""

    killed_by = "A-DEL-01"

    def delete(self, path: str) -> None:
        for info in self.inner.scan("", None, EVERYTHING, deep=True).items:
            if info.path.startswith(path):
                super().delete(info.path)


class FoldersFirst(ArtifactMutant):
    """Lists folders before files."""

    killed_by = "A-LST-01"

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        page = super().scan(prefix, after, limit, deep=deep)
        return replace(page, items=sorted(page.items, key=lambda info: not info.is_folder))


class ListedByFolder(ArtifactMutant):
    """Lists a folder's files where the folder's name stands, so `a/x` before `a-b`."""

    killed_by = "A-LST-01"

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        page = super().scan(prefix, after, limit, deep=deep)
        return replace(page, items=sorted(page.items, key=lambda info: info.path.split("/")))


class ListedByOffset(ArtifactMutant):
    """Remembers how many entries it has given, and not which."""

    killed_by = "A-LST-03"
    given: ClassVar[dict[str, int]] = {}

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        rows = list(super().scan(prefix, None, EVERYTHING, deep=deep).items)
        start = 0 if after is None else self.given[after]
        page = first_rows(rows[start:], limit, lambda info: info.path)
        if page.next is not None:
            self.given[page.next] = start + limit
        return page


class CaseFolded(ArtifactMutant):
    """Takes paths that differ in case for one."""

    killed_by = "A-PTH-03"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return super().put(path.lower(), chunks, if_absent=if_absent)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return super().get(path.lower(), start, length)


ARTIFACTS: tuple[type[ArtifactMutant], ...] = (
    WrittenInPlace,
    CutFilePublished,
    EmptyFileForgotten,
    LooksBeforeItPuts,
    RangeEndIncluded,
    SizeOfTheRange,
    MissingFileFoundLate,
    ReadInTwoVersions,
    PrefixOfText,
    FoldersFirst,
    ListedByFolder,
    ListedByOffset,
    CaseFolded,
)
