"""One bucket, by boto3's low-level client."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from heapq import merge
from typing import Any, Literal
from zlib import crc32

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, FlexibleChecksumError, NoCredentialsError
from botocore.handlers import add_expect_header

from trackstore.errors import BackendError, Unavailable
from trackstore_backends.objects import MARK, Batch, Body, Bucket, Head, Parts, Row
from trackstore_backends.s3.errors import translated
from trackstore_backends.s3.options import LOADER, Options

CHUNK = 1 << 20
"""Bytes of a reply that are read at once."""
_ATTEMPTS = 3
_CONNECTIONS = 32
_LISTED = 1_000
"""The most that a listing gives, and that one deletion takes."""


class S3Bucket(Bucket):
    def __init__(self, options: Options) -> None:
        self.by_folder = options.by_folder
        with translated("SIGN"):
            self._core = botocore.session.Session()
            self._core.register_component("data_loader", LOADER)
            self.client: Any = _connect(self._core, options)
        self.target: dict[str, Any] = {"Bucket": options.bucket}
        if options.owner:
            self.target["ExpectedBucketOwner"] = options.owner
        self.extra = dict(options.extra)
        self.checksums = options.checksums

    def close(self) -> None:
        self.client.close()

    def credentials(self) -> Any:
        """Return what requests are signed with, which renews itself where it ends."""
        found = self._core.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found

    def head(self, key: str, version: str | None = None) -> Head:
        with translated("HEAD VERSION" if version else "HEAD"):
            reply = self.client.head_object(**self.target, **_version(version), Key=key)
            mark = reply.get("Metadata", {}).get(MARK)
            return Head(reply["ContentLength"], reply["ETag"], mark)

    def read(
        self,
        key: str,
        start: int,
        length: int | None,
        tag: str | None,
        version: str | None = None,
    ) -> Body:
        asked = _version(version)
        if start or length is not None:
            end = "" if length is None else start + length - 1
            asked["Range"] = f"bytes={start}-{end}"
        if tag is not None:
            asked["IfMatch"] = tag
        with translated("GET VERSION" if version else "GET"):
            reply = self.client.get_object(**self.target, Key=key, **asked)
            try:
                return _Reply(reply)
            except BaseException:  # its headers were damaged
                reply["Body"].close()
                raise

    def write(self, key: str, body: bytes, *, mark: str, absent: bool) -> None:
        with translated("PUT", "unknown"):
            self.client.put_object(
                **self.target,
                **self.extra,
                Key=key,
                Body=body,
                Metadata={MARK: mark},
                **({"IfNoneMatch": "*"} if absent else {}),
            )

    def begin(self, key: str, *, mark: str, absent: bool) -> "S3Parts":
        checked = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        with translated("PUT"):
            reply = self.client.create_multipart_upload(
                **self.target,
                **self.extra,
                **(checked if self.checksums else {}),
                Key=key,
                Metadata={MARK: mark},
            )
            return S3Parts(self, key, reply["UploadId"], absent=absent)

    def _list(self, prefix: str, after: str | None, *, level: bool, most: int) -> Iterator[Batch]:
        asked: dict[str, Any] = {"Prefix": prefix, "MaxKeys": min(max(most, 1), _LISTED)}
        if after is not None:
            asked["StartAfter"] = after
        if level:
            asked["Delimiter"] = "/"
        while True:
            with translated("LIST"):
                reply = self.client.list_objects_v2(**self.target, **asked)
                files = [Row(each["Key"], each["Size"]) for each in reply.get("Contents", ())]
                folders = [Row(each["Prefix"]) for each in reply.get("CommonPrefixes", ())]
                token = reply.get("NextContinuationToken") if reply.get("IsTruncated") else None
            rows = merge(files, folders, key=self._order)
            yield Batch(list(rows), more=token is not None)
            if token is None:
                return
            asked["ContinuationToken"] = token

    def _order(self, row: Row) -> tuple[str, str]:
        return (row.key.removesuffix("/") if self.by_folder else row.key, row.key)

    def delete(self, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            with translated("DELETE", "unknown"):
                self.client.delete_object(**self.target, Key=keys[0])
            return
        for begin in range(0, len(keys), _LISTED):
            self._delete_many(keys[begin : begin + _LISTED])

    def _delete_many(self, keys: Sequence[str]) -> None:
        with translated("DELETE", "unknown"):
            asked = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            reply = self.client.delete_objects(**self.target, Delete=asked)
            for refused in reply.get("Errors", ()):
                status = 403 if refused["Code"] == "AccessDenied" else 500
                told = {"Error": refused, "ResponseMetadata": {"HTTPStatusCode": status}}
                raise ClientError(told, "DeleteObjects")

    def sign(
        self, key: str, verb: Literal["GET", "PUT"], seconds: int
    ) -> tuple[str, dict[str, str]]:
        if verb == "GET":
            return self.presign("get_object", {"Key": key}, seconds)
        return self.presign("put_object", {"Key": key, **self.extra}, seconds)

    def presign(
        self, method: str, asked: Mapping[str, Any], seconds: int
    ) -> tuple[str, dict[str, str]]:
        """Return a URL for one call, and the headers that it was signed with."""
        operation = self.client.meta.service_model.operation_model(
            self.client.meta.method_to_api_mapping[method]
        )
        asked = {**self.target, **asked}
        members = operation.input_shape.members
        with translated("SIGN"):
            url = self.client.generate_presigned_url(method, asked, seconds)
        headers = {
            members[name].serialization["name"]: str(value)
            for name, value in asked.items()
            if members[name].serialization.get("location") == "header"
        }
        return url, headers


class S3Parts(Parts):
    """Each part has a CRC-32, and so has the whole; S3 compares them with what arrives."""

    def __init__(self, bucket: S3Bucket, key: str, upload_id: str, *, absent: bool) -> None:
        self._bucket = bucket
        self._absent = absent
        self._upload = {**bucket.target, "Key": key, "UploadId": upload_id}
        self._sent: dict[int, dict[str, Any]] = {}
        self._sum = 0
        self._size = 0

    def note(self, part: bytes) -> None:
        self._sum = crc32(part, self._sum)
        self._size += len(part)

    def send(self, number: int, part: bytes) -> None:
        checked = {"ChecksumAlgorithm": "CRC32"} if self._bucket.checksums else {}
        with translated("PUT"):
            reply = self._bucket.client.upload_part(
                **self._upload, **checked, PartNumber=number, Body=part
            )
            sums = {name: reply[name] for name in ("ChecksumCRC32",) if name in reply}
            self._sent[number] = {"PartNumber": number, "ETag": reply["ETag"], **sums}

    def finish(self) -> None:
        asked: dict[str, Any] = {"IfNoneMatch": "*"} if self._absent else {}
        if self._bucket.checksums:
            whole = base64.b64encode(self._sum.to_bytes(4, "big")).decode()
            asked |= {"ChecksumType": "FULL_OBJECT", "ChecksumCRC32": whole}
            asked["MpuObjectSize"] = self._size
        parts = [self._sent[number] for number in sorted(self._sent)]
        with translated("PUT", "unknown"):
            self._bucket.client.complete_multipart_upload(
                **self._upload, **asked, MultipartUpload={"Parts": parts}
            )

    def abort(self) -> None:
        with translated("ABORT"), suppress(self._bucket.client.exceptions.NoSuchUpload):
            self._bucket.client.abort_multipart_upload(**self._upload)


class _Reply(Body):
    """What `get_object` returned: its body is read from the connection, in chunks."""

    def __init__(self, reply: Mapping[str, Any]) -> None:
        length = reply["ContentLength"]
        whole = reply.get("ContentRange", "").rpartition("/")[2]
        super().__init__(int(whole) if whole else length, reply["ETag"])
        self._stream = reply["Body"]
        self._left = length

    def __next__(self) -> bytes:
        if self._left == 0:
            raise StopIteration
        with translated("GET"):
            chunk: bytes = self._stream.read(min(CHUNK, self._left))
            self._left -= len(chunk)
            if self._left == 0:
                self._end()
            elif not chunk:
                raise Unavailable("s3 GET: the reply ended too soon: try again")
        return chunk

    def _end(self) -> None:
        """Read the end of the stream, which compares a checksum of the whole if there is one."""
        try:
            self._stream.read(1)
        except FlexibleChecksumError as error:
            raise BackendError(
                "s3 GET: the bytes have another checksum than the service says: try again, "
                "and if that stays so the artifact is damaged"
            ) from error

    def close(self) -> None:
        self._stream.close()


def _version(version: str | None) -> dict[str, Any]:
    return {} if version is None else {"VersionId": version}


def _connect(core: botocore.session.Session, options: Options) -> Any:
    client = boto3.session.Session(botocore_session=core).client(
        "s3",
        region_name=options.region,
        endpoint_url=options.endpoint,
        verify=None if options.verify else False,
        config=Config(
            signature_version="s3v4",
            connect_timeout=options.connect_timeout,
            read_timeout=options.timeout,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            max_pool_connections=_CONNECTIONS,
            s3={"addressing_style": options.addressing},
            request_checksum_calculation=(
                "when_supported" if options.checksums else "when_required"
            ),
        ),
    )
    # Botocore waits for "100 Continue" before it sends a body, and for ever if the connection ends
    # in the middle of that; a body that is sent at once also saves a round trip.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client
