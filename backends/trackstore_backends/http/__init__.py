"""`http://host:port`: the stores of a `trackstore server`, used as if they were here."""

from trackstore_backends.http.artifacts import HTTPArtifactStore
from trackstore_backends.http.backend import HTTPBackendStore

__all__ = ["HTTPArtifactStore", "HTTPBackendStore"]
