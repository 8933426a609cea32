"""Artifacts as objects of a bucket: one object for each file, at its own path."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import ClassVar, Generic, Literal, TypeVar

from trackstore.errors import InvalidRequest, LimitExceeded, NotFound, TrackstoreError
from trackstore.model import ArtifactInfo, Page, SignedURL
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_backends.calls import Calls
from trackstore_backends.objects.bucket import Bucket
from trackstore_backends.objects.listing import Lister, is_path
from trackstore_backends.objects.processes import PerProcess
from trackstore_backends.objects.reading import Source, open_range
from trackstore_backends.objects.uploading import upload

_SENDERS = 8
"""Threads of a handle that send parts, of all its uploads together."""


class _Senders(ThreadPoolExecutor):
    def close(self) -> None:
        self.shutdown()


B = TypeVar("B", bound=Bucket)


class ObjectArtifactStore(ArtifactStore, Generic[B]):
    """The contract over a `Bucket`; a service's own store says how a URL becomes one.

    A file and a folder of one path are both kept: no look at what is there could make them clash
    in a race, and each look costs a request.  `stat` and a shallow listing then show the file.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")

    def __init__(self, connect: Callable[[], B], prefix: str) -> None:
        """`prefix` is "" or ends in `/`; `connect` is called by each process that needs it."""
        self._root = prefix
        self._calls = Calls()
        self._connection = PerProcess(connect)
        self._senders = PerProcess(lambda: _Senders(_SENDERS, "trackstore-parts"))

    def close(self) -> None:
        self._calls.close()
        self._senders.close()
        self._connection.close()

    @property
    def _bucket(self) -> B:
        return self._connection.get()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        key = self._key(path)
        with self._calls:
            size = upload(self._bucket, self._senders.get(), key, chunks, absent=if_absent)
        return ArtifactInfo(path, size)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        key = self._key(path)
        bucket = self._bucket
        source = Source(partial(bucket.read, key), partial(bucket.head, key))
        return ArtifactReader(*open_range(self._calls, source, start, length))

    def stat(self, path: str) -> ArtifactInfo:
        key = self._key(path)
        with self._calls:
            try:
                return ArtifactInfo(path, self._bucket.head(key).size)
            except NotFound:
                if not Lister(self._bucket, 1).holds(f"{key}/"):
                    raise
        return ArtifactInfo(path, is_folder=True)

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        inside = f"{self._key(prefix)}/" if prefix else self._root
        begin = self._root + after if after else ""
        with self._calls:
            lister = Lister(self._bucket, limit + 1)
            entries = (lister.deep if deep else lister.level)(inside, begin)
            found = [self._seen(info) for info in islice(entries, limit + 1)]
        page = found[:limit]
        return Page(page, page[-1].path if len(found) > limit else None)

    def delete(self, path: str) -> None:
        key = self._key(path)
        keys, begun = [key], False
        with self._calls:
            try:
                for batch in self._bucket.list(f"{key}/", None, level=False, most=1_000):
                    keys += (row.key for row in batch.rows)
                    begun = begun or len(keys) > 1
                    self._bucket.delete(keys)
                    keys = []
            except TrackstoreError as error:
                if begun:
                    error.outcome = "unknown"  # of many objects some may be gone
                raise

    def _key(self, path: str) -> str:
        if not is_path(path, ""):
            raise InvalidRequest("an artifact path has an empty, '.' or '..' segment")
        return self._root + path

    def _seen(self, info: ArtifactInfo) -> ArtifactInfo:
        path = info.path.removeprefix(self._root)
        return ArtifactInfo(path, info.size, is_folder=info.is_folder)


class SigningArtifactStore(ObjectArtifactStore[B]):
    """One whose credentials can sign URLs: it offers `SignsURLs`."""

    longest_signature: ClassVar = 7 * 24 * 3_600
    """Seconds."""

    def sign_url(self, path: str, verb: Literal["GET", "PUT"], seconds: int) -> SignedURL:
        key = self._key(path)
        self._check_seconds(seconds)
        with self._calls:
            url, headers = self._bucket.sign(key, verb, seconds)
        return SignedURL(url, headers)

    def _check_seconds(self, seconds: int) -> None:
        if not 1 <= seconds <= self.longest_signature:
            raise LimitExceeded(
                f"a signed URL may be good for 1 to {self.longest_signature:,} seconds, "
                f"and not for {seconds:,}"
            )
