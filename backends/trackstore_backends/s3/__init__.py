"""`s3://bucket/prefix`: artifacts in Amazon S3, or a service that speaks its protocol."""

from trackstore_backends.s3.store import S3ArtifactStore

__all__ = ["S3ArtifactStore"]
