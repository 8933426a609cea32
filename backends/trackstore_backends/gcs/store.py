"""The stores of `gs:` URLs."""

import re
from functools import partial
from typing import Self, cast

from trackstore.errors import InvalidRequest, NotFound
from trackstore.model import ArtifactVersion, Page
from trackstore.stores import ArtifactReader
from trackstore_backends.gcs import versions
from trackstore_backends.gcs.bucket import GCSBucket
from trackstore_backends.gcs.options import Options, can_sign, parse
from trackstore_backends.objects import (
    ObjectArtifactStore,
    SigningArtifactStore,
    open_range,
)

_GENERATION = re.compile(r"[1-9][0-9]{0,18}")


class GCSArtifactStore(ObjectArtifactStore[GCSBucket]):
    """Artifacts as objects of a bucket of Google Cloud Storage.

    `docs/backends/gcs.md` has the options, the guarantees and the limits.
    """

    @classmethod
    def from_url(cls, url: str) -> Self:
        address, options = parse(url)
        connect = partial(GCSBucket, address.host, options)
        return cast("Self", _kind(options)(connect, address.prefix))


class SigningGCSArtifactStore(GCSArtifactStore, SigningArtifactStore[GCSBucket]):
    """With the key of a service account."""


class VersionedGCSArtifactStore(GCSArtifactStore):
    """In a bucket that keeps what is overwritten."""

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        key = self._key(path)
        if after is not None and not _GENERATION.fullmatch(after):
            raise InvalidRequest("a page of versions begins after one of them")
        with self._calls:
            known = versions.newest_first(self._bucket, key)
        older = [each for each in known if after is None or int(each.id) < int(after)]
        page = older[:limit]
        return Page(page, page[-1].id if len(older) > limit else None)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        key = self._key(path)
        if not _GENERATION.fullmatch(version):
            raise NotFound("the artifact has no such version")
        source = versions.source(self._bucket, key, version)
        return ArtifactReader(*open_range(self._calls, source, start, length))


class SigningVersionedGCSArtifactStore(VersionedGCSArtifactStore, SigningGCSArtifactStore):
    """Both."""


def _kind(options: Options) -> type[GCSArtifactStore]:
    if options.versions == "yes":
        return SigningVersionedGCSArtifactStore if can_sign(options) else VersionedGCSArtifactStore
    return SigningGCSArtifactStore if can_sign(options) else GCSArtifactStore
