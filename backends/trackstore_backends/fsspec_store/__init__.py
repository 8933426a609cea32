"""`fsspec+PROTOCOL://...`: artifacts on any file system of fsspec."""

from trackstore_backends.fsspec_store.store import FsspecArtifactStore

__all__ = ["FsspecArtifactStore"]
