"""What stores in buckets have in common: S3, Google Cloud Storage, Azure.

A service is one module, with a `Bucket` of its own and one translator of its errors.
`ObjectArtifactStore` makes of it what the contract asks for.
"""

from trackstore_backends.objects.bucket import (
    MARK,
    Batch,
    Body,
    Bucket,
    Changed,
    Head,
    OutOfRange,
    Parts,
    Row,
)
from trackstore_backends.objects.reading import Source, open_range
from trackstore_backends.objects.store import ObjectArtifactStore, SigningArtifactStore

__all__ = [
    "MARK",
    "Batch",
    "Body",
    "Bucket",
    "Changed",
    "Head",
    "ObjectArtifactStore",
    "OutOfRange",
    "Parts",
    "Row",
    "SigningArtifactStore",
    "Source",
    "open_range",
]
