"""More artifact stores that are broken on purpose: what they write, list, delete and follow."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from trackstore.errors import InvalidRequest, NotFound
from trackstore.model import ArtifactInfo, Page
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactReader, ArtifactStore
from trackstore_conformance.mutants.wrapped import ArtifactMutant

LARGEST = 5 << 20


class LastChunkLost(ArtifactMutant):
    """Forgets the chunk that it holds when the others have ended."""

    killed_by = "A-PUT-01"
    near = ("A-PUT-05", "A-LST-01", "A-PTH-02")

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        held = [chunk for chunk in chunks if chunk]
        return super().put(path, held[:-1] or held, if_absent=if_absent)


class LargeFilesCut(ArtifactMutant):
    """Keeps the first 5 MiB of a file."""

    killed_by = "A-PUT-01"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return super().put(path, [b"".join(chunks)[:LARGEST]], if_absent=if_absent)


class WrittenOnce(ArtifactMutant):
    """Leaves a file that is there as it is."""

    killed_by = "A-PUT-05"
    near = ("A-PUT-01", "A-PUT-04", "A-GET-01")

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        try:
            known = self.stat(path)
        except NotFound:
            return super().put(path, chunks, if_absent=if_absent)
        if if_absent or known.is_folder:
            return super().put(path, chunks, if_absent=if_absent)
        return known


class OverwrittenFromTheFront(ArtifactMutant):
    """Writes over the old file and leaves the end of it that is longer."""

    killed_by = "A-PUT-05"
    near = ("A-PUT-01", "A-PUT-04", "A-LST-01")

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        new = b"".join(chunks)
        try:
            old = b"".join(self.inner.get(path))
        except NotFound:
            old = b""
        return super().put(path, [new + old[len(new) :]], if_absent=if_absent)


class IfAbsentIgnored(ArtifactMutant):
    """Replaces a file that was to be made only if it is not there."""

    killed_by = "A-PUT-04"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        del if_absent
        return super().put(path, chunks)


class PartVisible(ArtifactMutant):
    """Shows the file that it writes to under another name, until it is whole."""

    killed_by = "A-PUT-02"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        super().put(f"{path}.part", [b""])
        try:
            return super().put(path, list(chunks), if_absent=if_absent)
        finally:
            super().delete(f"{path}.part")


class PartLeftBehind(ArtifactMutant):
    """Leaves what came before an exception under another name."""

    killed_by = "A-PUT-06"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        written: list[bytes] = []
        try:
            written += chunks
        except Exception:
            super().put(f"{path}.part", written)
            raise
        return super().put(path, written, if_absent=if_absent)


class StartBeyondTheEndRefused(ArtifactMutant):
    """Takes a range beyond the end for a mistake."""

    killed_by = "A-GET-01"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        reader = super().get(path, start, length)
        if start > reader.size:
            raise InvalidRequest("the range begins beyond the end")
        return reader


class FolderIsAFile(ArtifactMutant):
    """Reads a folder as an empty file."""

    killed_by = "A-GET-01"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        try:
            return super().get(path, start, length)
        except NotFound:
            if self.stat(path).is_folder:
                return ArtifactReader(iter(()), 0)
            raise


class ListingCached(ArtifactMutant):
    """Lists what it listed before, until it writes itself."""

    killed_by = "A-LST-02"
    near = ("A-PUT-01", "A-PUT-04", "A-GET-01")

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner)
        self.listed: dict[tuple[object, ...], Page[ArtifactInfo, str]] = {}

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        asked = (prefix, after, limit, deep)
        if asked not in self.listed:
            self.listed[asked] = super().scan(prefix, after, limit, deep=deep)
        return self.listed[asked]

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        self.listed.clear()
        return super().put(path, chunks, if_absent=if_absent)

    def delete(self, path: str) -> None:
        self.listed.clear()
        super().delete(path)


class ListingOfOnePage(ArtifactMutant):
    """Says after the first page that no other follows, as who forgets the token does."""

    killed_by = "A-LST-03"

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        return replace(super().scan(prefix, after, limit, deep=deep), next=None)


class PrefixesMatched(ArtifactMutant):
    """Lists whatever begins with the path of the folder, slash or no slash."""

    killed_by = "A-LST-01"
    near = ("A-PUT-01", "A-PUT-04", "A-GET-01")

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        if not deep or not prefix:
            return super().scan(prefix, after, limit, deep=deep)
        page = super().scan("", after, 1_000_000, deep=True)
        rows = [info for info in page.items if info.path.startswith(prefix)]
        return Page(rows[:limit], rows[limit - 1].path if len(rows) > limit else None)


class FoldersHaveSizes(ArtifactMutant):
    """Says of a folder that it has no bytes, as if it were a file."""

    killed_by = "A-LST-01"

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        page = super().scan(prefix, after, limit, deep=deep)
        return replace(page, items=[replace(info, size=info.size or 0) for info in page.items])


class EmptyFoldersStay(ArtifactMutant):
    """Still has a folder when the last file in it was deleted."""

    killed_by = "A-DEL-01"
    folders: ClassVar[set[str]] = set()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        info = super().put(path, chunks, if_absent=if_absent)
        self.folders.add(path.rpartition("/")[0])
        return info

    def stat(self, path: str) -> ArtifactInfo:
        try:
            return super().stat(path)
        except NotFound:
            if path in self.folders:
                return ArtifactInfo(path, is_folder=True)
            raise


class DeletionOfNothingRefused(ArtifactMutant):
    """Refuses to delete what is not there."""

    killed_by = "A-DEL-01"

    def delete(self, path: str) -> None:
        self.inner.stat(path)
        super().delete(path)


class FilesAloneDeleted(ArtifactMutant):
    """Deletes a file, and nothing of a folder."""

    killed_by = "A-DEL-01"

    def delete(self, path: str) -> None:
        try:
            if self.inner.stat(path).is_folder:
                return
        except NotFound:
            return
        super().delete(path)


class PathsDecoded(ArtifactMutant):
    """Takes what a path has behind a percent sign for a code."""

    killed_by = "A-PTH-03"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return super().put(unquote(path), chunks, if_absent=if_absent)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return super().get(unquote(path), start, length)


class PathsEscapedInListings(ArtifactMutant):
    """Lists a blank in a path as %20."""

    killed_by = "A-PTH-01"

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        page = super().scan(prefix, after, limit, deep=deep)
        rows = [replace(info, path=info.path.replace(" ", "%20")) for info in page.items]
        return replace(page, items=rows)


class DotsTrimmed(ArtifactMutant):
    """Takes blanks and dots off the end of a name, as Windows does."""

    killed_by = "A-PTH-03"
    near = ("A-PUT-05", "A-LST-02", "A-DEL-01")

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return super().put(trimmed(path), chunks, if_absent=if_absent)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return super().get(trimmed(path), start, length)


def trimmed(path: str) -> str:
    return "/".join(segment.rstrip(" .") or segment for segment in path.split("/"))


class LinksFollowed(ArtifactMutant):
    """Reads whatever a link in its folder leads to."""

    killed_by = "A-PTH-02"
    near = ("A-PUT-05", "A-GET-01", "A-PTH-01")
    url = "file://{folder}/artifacts"
    root = Path()

    @classmethod
    def from_url(cls, url: str) -> Self:
        made = cls(open_artifact_store(url))
        made.root = Path(unquote(urlsplit(url).path))
        return made

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        if (self.root / path).is_file():
            whole = (self.root / path).read_bytes()
            return ArtifactReader(iter([whole[start:][:length]]), len(whole))
        return super().get(path, start, length)


class SystemErrorsPassed(ArtifactMutant):
    """Lets the file system say that a file is not there."""

    killed_by = "A-ERR-01"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        try:
            return super().get(path, start, length)
        except NotFound:
            raise FileNotFoundError(path) from None


class PlaceOfFilesTold(ArtifactMutant):
    """Says in its errors where the files are."""

    killed_by = "A-ERR-01"
    place = ""

    @classmethod
    def from_url(cls, url: str) -> Self:
        made = cls(open_artifact_store(url))
        made.place = url
        return made

    def stat(self, path: str) -> ArtifactInfo:
        try:
            return super().stat(path)
        except NotFound as error:
            raise NotFound(f"{self.place}/{path} is not there") from error


FILES: tuple[type[ArtifactMutant], ...] = (
    LastChunkLost,
    LargeFilesCut,
    WrittenOnce,
    OverwrittenFromTheFront,
    IfAbsentIgnored,
    PartVisible,
    PartLeftBehind,
    StartBeyondTheEndRefused,
    FolderIsAFile,
    ListingCached,
    ListingOfOnePage,
    PrefixesMatched,
    FoldersHaveSizes,
    EmptyFoldersStay,
    DeletionOfNothingRefused,
    FilesAloneDeleted,
    PathsDecoded,
    PathsEscapedInListings,
    DotsTrimmed,
    LinksFollowed,
    SystemErrorsPassed,
    PlaceOfFilesTold,
)
