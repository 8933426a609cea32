"""The files behind a server, which are those below `mlflow-artifacts:/`."""

from collections.abc import Iterable
from typing import ClassVar, Self, cast

from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_backends.http.client import Client
from trackstore_backends.http.urls import parsed


class HTTPArtifactStore(ArtifactStore):
    guarantees: ClassVar = Guarantees(durability="process-crash", transfer="checked")

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Client(parsed(url)))

    def close(self) -> None:
        self._client.gate.close()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return cast("ArtifactInfo", self._client.send_file((path, if_absent), chunks))

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return self._client.open_file((path, start, length))

    def stat(self, path: str) -> ArtifactInfo:
        return cast("ArtifactInfo", self._client.call("stat", path))

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        found = self._client.call("scan", prefix, after, limit, deep)
        return cast("Page[ArtifactInfo, str]", found)

    def delete(self, path: str) -> None:
        self._client.call("delete", path)
