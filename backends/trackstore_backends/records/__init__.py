"""`file:///folder`: a backend store without a database.  Needs Linux or macOS."""

from trackstore_backends.records.store import FileBackendStore

__all__ = ["FileBackendStore"]
