"""Artifact stores that keep versions, and are broken on purpose, each in one way."""

from collections.abc import Iterable
from typing import Any, ClassVar

from msgspec.structs import replace

from trackstore.errors import NotFound
from trackstore.model import ArtifactInfo, ArtifactVersion, Page
from trackstore.stores import ArtifactReader
from trackstore_conformance.forwarding import Versions
from trackstore_conformance.mutants.wrapped import ArtifactMutant, first_rows

EVERYTHING = 1_000_000


class KeepsVersionsWrongly(Versions, ArtifactMutant):
    """Forwards what the wrapped store says of versions."""

    inner: Any

    def all_versions(self, path: str) -> list[ArtifactVersion]:
        return list(self.inner.scan_versions(path, None, EVERYTHING).items)


class OldestVersionFirst(KeepsVersionsWrongly):
    """Lists versions in the order in which they were put."""

    killed_by = "A-KEP-01"

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        rows = self.all_versions(path)[::-1]
        start = next((n for n, row in enumerate(rows, 1) if row.id == after), 0)
        return first_rows(rows[start:], limit, lambda row: row.id)


class VersionsByPlace(KeepsVersionsWrongly):
    """Calls the newest version 0, whichever that is."""

    killed_by = "A-KEP-01"

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        rows = [replace(each, id=str(n)) for n, each in enumerate(self.all_versions(path))]
        return first_rows(rows[int(after or -1) + 1 :], limit, lambda row: row.id)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        known = self.all_versions(path)
        if not version.isdecimal() or int(version) >= len(known):
            raise NotFound("no such version")
        return super().get_version(path, known[int(version)].id, start, length)


class NewestVersionRead(KeepsVersionsWrongly):
    """Reads the newest version, whichever is asked for."""

    killed_by = "A-KEP-01"

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        super().get_version(path, version).close()
        return self.get(path, start, length)


class RangeOfVersionIgnored(KeepsVersionsWrongly):
    """Gives the whole version for any range."""

    killed_by = "A-KEP-02"

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        del start, length
        return super().get_version(path, version)


class VersionsOfOnePage(KeepsVersionsWrongly):
    """Says after the first page of versions that no other follows."""

    killed_by = "A-KEP-02"

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        return replace(super().scan_versions(path, after, limit), next=None)


class MissingVersionIsTheNewest(KeepsVersionsWrongly):
    """Reads the newest version where there is none of the id."""

    killed_by = "A-KEP-02"

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        try:
            return super().get_version(path, version, start, length)
        except NotFound:
            return self.get(path, start, length)


class VersionOfAnyPath(KeepsVersionsWrongly):
    """Looks for an id alone, and not whether it is of the path."""

    killed_by = "A-KEP-02"

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        for info in self.inner.scan("", None, EVERYTHING, deep=True).items:
            if any(each.id == version for each in self.all_versions(info.path)):
                path = info.path
        return super().get_version(path, version, start, length)


class KeptByWhoLooksFirst(KeepsVersionsWrongly):
    """Looks before a put which version there is, and afterwards keeps that one alone."""

    killed_by = "A-KEP-03"

    kept: ClassVar[dict[str, set[str]]] = {}

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        seen = [each.id for each in self.all_versions(path)[:1]]
        info = super().put(path, chunks, if_absent=if_absent)
        self.kept.setdefault(path, set()).update(seen)
        return info

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        known = self.all_versions(path)
        kept = self.kept.get(path, set())
        rows = known[:1] + [each for each in known[1:] if each.id in kept]
        start = next((n for n, row in enumerate(rows, 1) if row.id == after), 0)
        return first_rows(rows[start:], limit, lambda row: row.id)


VERSIONS: tuple[type[KeepsVersionsWrongly], ...] = (
    OldestVersionFirst,
    VersionsByPlace,
    NewestVersionRead,
    RangeOfVersionIgnored,
    VersionsOfOnePage,
    MissingVersionIsTheNewest,
    VersionOfAnyPath,
    KeptByWhoLooksFirst,
)
