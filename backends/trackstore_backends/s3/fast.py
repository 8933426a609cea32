"""The same bucket, whose objects are read and written by obstore: a fifth of the CPU a request.

boto3 does all else, and whatever obstore fails at is asked for again by boto3: so there is one
translator of errors, one way to retry, and one meaning of every refusal.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from trackstore.errors import TrackstoreError, Unavailable
from trackstore_backends.objects import MARK, Body
from trackstore_backends.s3.bucket import CHUNK, S3Bucket
from trackstore_backends.s3.options import Options

_CREDENTIALS_FRESH = timedelta(minutes=5)
"""botocore renews those that end ten minutes before they do."""
_NO_END = "1d"
"""For a whole reply, which may be large; what stalls ends by the time that one read may take."""
_REFUSALS: Final = (
    AlreadyExistsError,
    FileNotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
"""What a service says that has written nothing."""
_users: set[int] = set()
"""This process, if it has called obstore, and those it was forked from that had."""


class FastS3Bucket(S3Bucket):
    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._has_owner = options.owner is not None
        self._fast: Any = self._connect_fast(options)

    def close(self) -> None:
        super().close()
        self._fast = None  # the last to know it closes its connections

    def read(
        self,
        key: str,
        start: int,
        length: int | None,
        tag: str | None,
        version: str | None = None,
    ) -> Body:
        if version is None and self._is_usable():
            with suppress(Exception):  # whatever it is, boto3 meets it too, and it is translated
                return _Fetched(obstore.get(self._fast, key, options=_asked(start, length, tag)))
        return super().read(key, start, length, tag, version)

    def write(self, key: str, body: bytes, *, mark: str, absent: bool) -> None:
        if self.extra or not self._is_usable():
            super().write(key, body, mark=mark, absent=absent)
            return
        try:
            obstore.put(
                self._fast,
                key,
                body,
                attributes={MARK: mark},
                mode="create" if absent else "overwrite",
                use_multipart=False,
            )
        except _REFUSALS:
            super().write(key, body, mark=mark, absent=absent)
        except Exception:  # its reply may have been lost
            try:
                super().write(key, body, mark=mark, absent=absent)
            except TrackstoreError as error:
                error.outcome = "unknown"
                raise

    def _is_usable(self) -> bool:
        """Tell if obstore may be called: its threads are gone in a process that was forked."""
        if self._has_owner or _users - {os.getpid()}:
            return False
        _users.add(os.getpid())
        return True

    def _connect_fast(self, options: Options) -> S3Store:
        """Go to where boto3 goes: its signed URLs tell if the bucket is in the host or the path."""
        place = urlsplit(self.client.meta.endpoint_url)
        is_virtual = urlsplit(self.presign("get_object", {"Key": "-"}, 60)[0]).path == "/-"
        host = f"{options.bucket}.{place.netloc}" if is_virtual else place.netloc
        return S3Store(
            options.bucket,
            endpoint=f"{place.scheme}://{host}",
            region=self.client.meta.region_name,
            virtual_hosted_style_request=is_virtual,
            credential_provider=self._give_credentials,
            **({"checksum_algorithm": "SHA256"} if options.checksums else {}),
            client_options={
                "allow_http": place.scheme == "http",
                "allow_invalid_certificates": not options.verify,
                "connect_timeout": timedelta(seconds=options.connect_timeout),
                "read_timeout": timedelta(seconds=options.timeout),
                "timeout": _NO_END,
            },
            retry_config={"max_retries": 0},
        )

    def _give_credentials(self) -> Any:
        found = self.credentials().get_frozen_credentials()
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(UTC) + _CREDENTIALS_FRESH,
        }


class _Fetched(Body):
    """What `obstore.get` returned: its body comes from the connection, in chunks."""

    def __init__(self, result: Any) -> None:
        super().__init__(result.meta["size"], result.meta["e_tag"])
        start, end = result.range
        self._left = end - start
        self._stream: Any = result.stream(CHUNK)

    def __next__(self) -> bytes:
        if self._left == 0:
            raise StopIteration
        try:
            chunk = bytes(next(self._stream, b""))
        except Exception as error:
            raise Unavailable("s3 GET: the connection was lost: try again") from error
        if not chunk:
            raise Unavailable("s3 GET: the reply ended too soon: try again")
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._stream = iter(())


def _asked(start: int, length: int | None, tag: str | None) -> Mapping[str, Any]:
    asked: dict[str, Any] = {}
    if length is not None:
        asked["range"] = (start, start + length)
    elif start:
        asked["range"] = {"offset": start}
    if tag is not None:
        asked["if_match"] = tag
    return asked
