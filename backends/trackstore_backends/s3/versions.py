"""The versions of an object, in a bucket that keeps them."""

from collections.abc import Iterator

from trackstore.model import ArtifactVersion
from trackstore_backends.s3.bucket import S3Bucket
from trackstore_backends.s3.errors import translated


def newest_first(
    bucket: S3Bucket, key: str, after: str | None, most: int
) -> Iterator[ArtifactVersion]:
    marker = {} if after is None else {"KeyMarker": key, "VersionIdMarker": after}
    while True:
        with translated("LIST VERSIONS"):
            reply = bucket.client.list_object_versions(
                **bucket.target, Prefix=key, MaxKeys=most, **marker
            )
            found = [
                ArtifactVersion(
                    each["VersionId"], each["Size"], round(each["LastModified"].timestamp() * 1000)
                )
                for each in reply.get("Versions", ())
                if each["Key"] == key
            ]
        yield from found
        if not reply.get("IsTruncated") or reply.get("NextKeyMarker") != key:
            return
        marker = {
            "KeyMarker": reply["NextKeyMarker"],
            "VersionIdMarker": reply["NextVersionIdMarker"],
        }
