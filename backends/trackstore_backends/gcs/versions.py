"""The generations of an object, in a bucket that keeps them."""

from functools import partial

from trackstore.errors import NotFound
from trackstore.model import ArtifactVersion
from trackstore_backends.gcs.bucket import GCSBucket
from trackstore_backends.gcs.errors import translated
from trackstore_backends.objects import Body, Changed, Head, Source

_FIELDS = "nextPageToken,items(name,generation,size,timeCreated)"


def newest_first(bucket: GCSBucket, key: str) -> list[ArtifactVersion]:
    """Return all of them: the service lists the oldest first, and each is a few words."""
    with translated("LIST"):
        found = bucket.client.list_blobs(
            bucket.bucket,
            prefix=key,
            end_offset=f"{key}\0",
            versions="true",  # as a flag it would be sent as "True", which emulators pass over
            fields=_FIELDS,
            timeout=bucket.timeout,
            retry=bucket.retry,
        )
        known = [
            ArtifactVersion(
                str(each.generation), int(each.size), round(each.time_created.timestamp() * 1_000)
            )
            for each in found
            if each.name == key
        ]
    return sorted(known, key=lambda each: int(each.id), reverse=True)


def source(bucket: GCSBucket, key: str, generation: str) -> Source:
    return Source(partial(_read, bucket, key, generation), partial(_head, bucket, key, generation))


def _read(
    bucket: GCSBucket, key: str, generation: str, start: int, length: int | None, _: str | None
) -> Body:
    try:
        return bucket.read(key, start, length, generation)
    except Changed as error:
        raise NotFound("the artifact has no such version") from error


def _head(bucket: GCSBucket, key: str, generation: str) -> Head:
    return bucket.head(key, int(generation))
