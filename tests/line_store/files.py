"""An artifact store whose calls take and return plain values, so that they fit into a line."""

from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactStore


class Files:
    """What the server calls, on an artifact store of its own."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store

    def put(self, path: str, whole: bytes, if_absent: bool) -> ArtifactInfo:
        return self.store.put(path, [whole], if_absent=if_absent)

    def get(self, path: str, start: int, length: int | None) -> tuple[bytes, int]:
        reader = self.store.get(path, start, length)
        return b"".join(reader), reader.size

    def stat(self, path: str) -> ArtifactInfo:
        return self.store.stat(path)

    def scan(
        self, prefix: str, after: str | None, limit: int, deep: bool
    ) -> Page[ArtifactInfo, str]:
        return self.store.scan(prefix, after, limit, deep=deep)

    def delete(self, path: str) -> None:
        self.store.delete(path)
