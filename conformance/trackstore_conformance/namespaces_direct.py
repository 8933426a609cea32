"""What a folder of an artifact store offers to clients without credentials."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from trackstore.model import ArtifactInfo, SignedUpload, SignedURL


class URLsInFolder:
    """Of an artifact store that signs URLs."""

    inner: Any
    hidden: Callable[[str], str]

    def sign_url(self, path: str, verb: Literal["GET", "PUT"], seconds: int) -> SignedURL:
        signed: SignedURL = self.inner.sign_url(self.hidden(path), verb, seconds)
        return signed


class UploadsInFolder:
    """Of an artifact store that signs uploads in parts."""

    inner: Any
    hidden: Callable[[str], str]
    shown: Callable[[ArtifactInfo], ArtifactInfo]

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        upload: SignedUpload = self.inner.begin_upload(self.hidden(path), parts, seconds)
        return upload

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        return self.shown(self.inner.finish_upload(self.hidden(path), upload_id, tags))

    def abort_upload(self, path: str, upload_id: str) -> None:
        self.inner.abort_upload(self.hidden(path), upload_id)


class SweepsInFolder:
    """Of an artifact store that sweeps."""

    inner: Any
    hidden: Callable[[str], str]

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        swept: int = self.inner.sweep_uploads(self.hidden(prefix), older_than_s)
        return swept
