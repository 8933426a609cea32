"""The stores of `s3:` URLs, with what S3 can do beyond the core."""

import re
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple, Self
from uuid import uuid4

from trackstore.errors import InvalidRequest, LimitExceeded, NotFound, Unsupported
from trackstore.model import ArtifactInfo, ArtifactVersion, Page, SignedUpload
from trackstore.stores import ArtifactReader
from trackstore_backends.objects import SigningArtifactStore, Source, open_range
from trackstore_backends.s3 import uploads, versions
from trackstore_backends.s3.bucket import S3Bucket
from trackstore_backends.s3.options import parse

_MOST_PARTS = 10_000
_VERSION = re.compile(r"[!-~]{1,1024}")


class S3ArtifactStore(SigningArtifactStore[S3Bucket]):
    """Artifacts as objects of an S3 bucket, whose service has conditional writes.

    `docs/backends/s3.md` has the options, the guarantees and the limits.
    """

    @classmethod
    def from_url(cls, url: str) -> Self:
        options = parse(url)
        kind = VersionedS3ArtifactStore if options.versions else S3ArtifactStore
        connect = _fast_bucket() if options.fast else S3Bucket
        return kind(partial(connect, options), options.prefix)  # type: ignore[return-value]

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        key = self._key(path)
        self._check_seconds(seconds)
        if not 1 <= parts <= _MOST_PARTS:
            raise LimitExceeded(f"an upload has 1 to {_MOST_PARTS:,} parts, and not {parts:,}")
        mark = uuid4().hex
        with self._calls:
            upload = uploads.begin(self._bucket, key, mark)
            signed = [
                uploads.sign_part(self._bucket, key, upload, number, seconds)
                for number in range(1, parts + 1)
            ]
        return SignedUpload(f"{parts}-{mark}-{upload}", signed)

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        key = self._key(path)
        upload = _parse_upload(upload_id)
        with self._calls:
            if len(tags) != upload.parts:
                raise InvalidRequest(
                    f"the upload has {upload.parts:,} parts, and {len(tags):,} tags came"
                )
            uploads.finish(self._bucket, key, upload.id, upload.mark, tags)
            return ArtifactInfo(path, self._bucket.head(key).size)

    def abort_upload(self, path: str, upload_id: str) -> None:
        key = self._key(path)
        with self._calls:
            try:
                upload = _parse_upload(upload_id)
            except NotFound:
                return
            uploads.abort(self._bucket, key, upload.id)

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        inside = f"{self._key(prefix)}/" if prefix else self._root
        with self._calls:
            return uploads.sweep(self._bucket, inside, older_than_s)


def _fast_bucket() -> type[S3Bucket]:
    try:
        from trackstore_backends.s3.fast import FastS3Bucket  # noqa: PLC0415 - a package of its own
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"s3: fast=yes needs the package {error.name!r}: pip install 'trackstore[fast]'"
        ) from error
    return FastS3Bucket


class VersionedS3ArtifactStore(S3ArtifactStore):
    """In a bucket that keeps what is overwritten."""

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        key = self._key(path)
        with self._calls:
            known = versions.newest_first(self._bucket, key, after, limit + 1)
            found = list(islice(known, limit + 1))
        page = found[:limit]
        return Page(page, page[-1].id if len(found) > limit else None)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        key = self._key(path)
        if not _VERSION.fullmatch(version):
            raise NotFound("the artifact has no such version")
        bucket = self._bucket
        source = Source(
            partial(bucket.read, key, version=version), partial(bucket.head, key, version=version)
        )
        return ArtifactReader(*open_range(self._calls, source, start, length))


class _Upload(NamedTuple):
    parts: int
    mark: str
    id: str
    """The service's."""


_UPLOAD = re.compile(r"([1-9][0-9]{0,4})-([0-9a-f]{32})-([A-Za-z0-9._~=+-]{1,1024})")


def _parse_upload(upload_id: str) -> _Upload:
    found = _UPLOAD.fullmatch(upload_id)
    if found is None:
        raise NotFound("there is no such upload: it was finished, aborted or never begun")
    return _Upload(int(found[1]), found[2], found[3])
