"""The stores of `az:` and `wasbs:` URLs."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Self, cast

from trackstore.errors import LimitExceeded
from trackstore.model import ArtifactInfo, SignedUpload
from trackstore_backends.azure import uploads
from trackstore_backends.azure.bucket import AzureBucket
from trackstore_backends.azure.options import parse
from trackstore_backends.objects import ObjectArtifactStore, SigningArtifactStore


class AzureArtifactStore(ObjectArtifactStore[AzureBucket]):
    """Artifacts as block blobs of a container of Azure Blob Storage.

    `docs/backends/azure.md` has the options, the guarantees and the limits.
    """

    @classmethod
    def from_url(cls, url: str) -> Self:
        place, prefix = parse(url)
        connect = partial(AzureBucket, place)
        if place.key is None:
            return cast("Self", AzureArtifactStore(connect, prefix))
        return cast("Self", SigningAzureArtifactStore(connect, prefix, place.key))


class SigningAzureArtifactStore(AzureArtifactStore, SigningArtifactStore[AzureBucket]):
    """With the account's key."""

    def __init__(self, connect: Callable[[], AzureBucket], prefix: str, secret: str) -> None:
        super().__init__(connect, prefix)
        self._secret = secret

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        key = self._key(path)
        self._check_seconds(seconds)
        if not 1 <= parts <= uploads.MOST_PARTS:
            raise LimitExceeded(
                f"an upload has 1 to {uploads.MOST_PARTS:,} parts, and not {parts:,}"
            )
        with self._calls:
            return SignedUpload(*uploads.begin(self._bucket, self._secret, key, parts, seconds))

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        """The service compares no tags of blocks: those given are only counted."""
        key = self._key(path)
        with self._calls:
            size = uploads.finish(self._bucket, self._secret, key, upload_id, len(tags))
        return ArtifactInfo(path, size)

    def abort_upload(self, path: str, upload_id: str) -> None:
        key = self._key(path)
        with self._calls:
            uploads.abort(self._bucket, self._secret, key, upload_id)
