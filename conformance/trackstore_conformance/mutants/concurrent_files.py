"""Artifact stores that are right for one client at a time, and wrong for several at once."""

from collections import Counter
from collections.abc import Iterable
from threading import Lock
from typing import ClassVar

from trackstore.errors import AlreadyExists, NotFound
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore
from trackstore_conformance.mutants.wrapped import ArtifactMutant


class DeletedBeforeItIsReplaced(ArtifactMutant):
    """Takes the old file away before it puts the new one."""

    killed_by = "A-PUT-02"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if not if_absent:
            self.inner.delete(path)
        return super().put(path, chunks, if_absent=if_absent)


class SeenWhileItGrows(ArtifactMutant):
    """Writes in place, a chunk at a time."""

    killed_by = "A-PUT-02"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        written: list[bytes] = []
        info = ArtifactInfo(path, 0)
        for chunk in chunks:
            written.append(chunk)
            info = super().put(path, written, if_absent=if_absent and len(written) == 1)
        return info


class ChunksInOnePlace(ArtifactMutant):
    """Collects the chunks of all who put a path in one place."""

    killed_by = "A-PUT-03"
    parts: ClassVar[dict[str, list[bytes]]] = {}

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        mine = self.parts[path] = self.parts.get(path, [])
        for chunk in chunks:
            mine += [chunk]
        whole = list(mine)
        self.parts.pop(path, None)
        return super().put(path, whole, if_absent=if_absent)


class OlderPutWins(ArtifactMutant):
    """Puts a file again a call later, whatever was put meanwhile."""

    killed_by = "A-PUT-03"

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner)
        self.last: dict[str, list[bytes]] = {}

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        before = self.last.get(path)
        self.last[path] = whole = list(chunks)
        info = super().put(path, whole, if_absent=if_absent)
        if before is not None:
            super().put(path, before)
            self.inner.scan("", None, 1_000, deep=True)
            info = super().put(path, whole)
        return info


class OpenedForEveryPiece(ArtifactMutant):
    """Opens the file anew for every part that is read."""

    killed_by = "A-GET-02"

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        size = self.stat(path).size or 0
        end = size if length is None else min(size, start + length)
        parts = [b"".join(self.inner.get(path, at, 4_096)) for at in range(start, end, 4_096)]
        return ArtifactReader(iter(parts), size)


class ListingOfAnotherTime(ArtifactMutant):
    """Lists what was there when it listed last, every other time."""

    killed_by = "A-LST-02"

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner)
        self.known: dict[tuple[str, bool], Page[ArtifactInfo, str]] = {}

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        remembered = self.known.pop((prefix, deep), None) if after is None else None
        if remembered is None:
            remembered = super().scan(prefix, after, limit, deep=deep)
            if after is None:
                self.known[prefix, deep] = remembered
        return remembered


class PutFailsBesideADelete(ArtifactMutant):
    """Has a folder taken away under a put, which then finds no place."""

    killed_by = "A-DEL-01"
    under_way: ClassVar[Counter[str]] = Counter()

    def delete(self, path: str) -> None:
        folder = path.partition("/")[0]
        self.under_way[folder] += 1
        try:
            super().delete(path)
        finally:
            self.under_way[folder] -= 1

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if self.under_way[path.partition("/")[0]]:
            raise NotFound("no such folder")
        return super().put(path, chunks, if_absent=if_absent)


class AllLose(ArtifactMutant):
    """Refuses who meets another creator of the same file, and so may refuse them all."""

    killed_by = "A-PUT-04"
    creating: ClassVar[Counter[str]] = Counter()
    counting: ClassVar[Lock] = Lock()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        with self.counting:
            self.creating[path] += 1
        try:
            whole = list(chunks)
            if if_absent and self.creating[path] > 1:
                raise AlreadyExists("the path is taken", field="path")
            return super().put(path, whole, if_absent=if_absent)
        finally:
            with self.counting:
                self.creating[path] -= 1


CONCURRENT_ARTIFACTS: tuple[type[ArtifactMutant], ...] = (
    DeletedBeforeItIsReplaced,
    SeenWhileItGrows,
    ChunksInOnePlace,
    OlderPutWins,
    OpenedForEveryPiece,
    ListingOfAnotherTime,
    PutFailsBesideADelete,
    AllLose,
)
