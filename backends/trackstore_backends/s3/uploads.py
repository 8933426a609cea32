"""Uploads whose parts a client sends by itself, and the remains of those that were cut."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from trackstore.errors import InvalidRequest
from trackstore.model import SignedURL
from trackstore_backends.objects import MARK
from trackstore_backends.s3.bucket import S3Bucket
from trackstore_backends.s3.errors import code_of, translated

_LONGEST_TAG = 200


def begin(bucket: S3Bucket, key: str, mark: str) -> str:
    with translated("PUT"):
        reply = bucket.client.create_multipart_upload(
            **bucket.target, **bucket.extra, Key=key, Metadata={MARK: mark}
        )
        return str(reply["UploadId"])


def sign_part(bucket: S3Bucket, key: str, upload: str, number: int, seconds: int) -> SignedURL:
    asked = {"Key": key, "UploadId": upload, "PartNumber": number}
    return SignedURL(*bucket.presign("upload_part", asked, seconds))


def finish(bucket: S3Bucket, key: str, upload: str, mark: str, tags: Sequence[str]) -> None:
    for tag in tags:
        if not tag or len(tag) > _LONGEST_TAG or not tag.isascii() or not tag.isprintable():
            raise InvalidRequest("a tag of a part is none that the service gave")
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    with translated("PUT", "unknown"):
        try:
            bucket.client.complete_multipart_upload(
                **bucket.target, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            again = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
            if not again or code_of(error) != "NoSuchUpload" or bucket.head(key).mark != mark:
                raise  # otherwise the first attempt did it, and its reply was lost


def abort(bucket: S3Bucket, key: str, upload: str) -> None:
    with translated("ABORT"):
        try:
            bucket.client.abort_multipart_upload(**bucket.target, Key=key, UploadId=upload)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise


def sweep(bucket: S3Bucket, inside: str, older_than_s: float) -> int:
    """Abort the uploads in which nothing has come for so long, by the service's own clock."""
    swept = 0
    for upload, now in _begun(bucket, inside):
        last = now - timedelta(seconds=older_than_s)
        if upload["Initiated"] < last and not _has_newer(bucket, upload, last):
            abort(bucket, upload["Key"], upload["UploadId"])
            swept += 1
    return swept


def _begun(bucket: S3Bucket, inside: str) -> Iterator[tuple[dict[str, Any], datetime]]:
    marker: dict[str, str] = {}
    while True:
        with translated("LIST UPLOADS"):
            reply = bucket.client.list_multipart_uploads(**bucket.target, Prefix=inside, **marker)
            now = parsedate_to_datetime(reply["ResponseMetadata"]["HTTPHeaders"]["date"])
            uploads = reply.get("Uploads", ())
        yield from ((upload, now) for upload in uploads)
        if not reply.get("IsTruncated"):
            return
        marker = {
            "KeyMarker": reply["NextKeyMarker"],
            "UploadIdMarker": reply["NextUploadIdMarker"],
        }


def _has_newer(bucket: S3Bucket, upload: dict[str, Any], last: datetime) -> bool:
    """Tell if a part has come since; an upload that has ended meanwhile is left alone, too."""
    marker: dict[str, int] = {}
    asked = {**bucket.target, "Key": upload["Key"], "UploadId": upload["UploadId"]}
    while True:
        with translated("LIST UPLOADS"):
            try:
                reply = bucket.client.list_parts(**asked, **marker)
            except ClientError as error:
                if code_of(error) == "NoSuchUpload":
                    return True
                raise
            if any(part["LastModified"] >= last for part in reply.get("Parts", ())):
                return True
            if not reply.get("IsTruncated"):
                return False
            marker = {"PartNumberMarker": int(reply["NextPartNumberMarker"])}
