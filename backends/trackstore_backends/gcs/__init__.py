"""`gs://bucket/prefix`: artifacts in Google Cloud Storage."""

from trackstore_backends.gcs.store import GCSArtifactStore

__all__ = ["GCSArtifactStore"]
