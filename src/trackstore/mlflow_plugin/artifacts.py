"""MLflow's artifact repository on any artifact store: files appear whole or not at all."""

import asyncio
import os
import posixpath
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import BinaryIO

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository as TheirRepository
from mlflow.store.artifact.artifact_repo import StreamUploadMixin

from trackstore import limits
from trackstore.mlflow_plugin import places
from trackstore.mlflow_plugin.answers import translating

_CHUNK = 1024 * 1024


class ArtifactRepository(TheirRepository, StreamUploadMixin):
    """The folder that a URI such as `trackstore:file:///srv/files` names."""

    def __init__(
        self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
    ) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self._folder = translating(places.folder)(artifact_uri)

    @translating
    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        self._folder.upload(local_file, _path(local_file, artifact_path))

    @translating
    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Write the files below a folder; links to files are followed, as MLflow does."""
        for place, _, names in os.walk(local_dir):
            inner = os.path.relpath(place, local_dir).replace(os.sep, "/")
            folder = posixpath.normpath(posixpath.join(artifact_path or "", inner))
            for name in names:
                self.log_artifact(os.path.join(place, name), "" if folder == "." else folder)  # noqa: PTH118

    @translating
    def log_artifact_from_stream(
        self, stream: BinaryIO, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        path = _path(artifact_file_name, artifact_path)
        self._folder.put(path, iter(lambda: stream.read(_CHUNK), b""))

    async def log_artifact_from_async_stream(
        self,
        chunks: AsyncIterable[bytes],
        artifact_file_name: str,
        artifact_path: str | None = None,
    ) -> None:
        """Write in a thread what the loop receives; a client that goes away leaves nothing."""
        path = _path(artifact_file_name, artifact_path)
        received = _received(aiter(chunks), asyncio.get_running_loop())
        await asyncio.to_thread(translating(self._folder.put), path, received)

    @translating
    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        token, found = None, []
        while True:
            page = self._folder.list(
                (path or "").removesuffix("/"), limit=limits.PAGE, page_token=token
            )
            found += [FileInfo(each.path, each.is_folder, each.size) for each in page.items]
            if (token := page.next) is None:
                return found

    @translating
    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        self._folder.download(remote_file_path, local_path)

    @translating
    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        doomed = [artifact_path] if artifact_path else [each.path for each in self.list_artifacts()]
        for path in doomed:
            self._folder.delete(path.removesuffix("/"))


def _path(local_file: str, artifact_path: str | None) -> str:
    return posixpath.join(artifact_path or "", os.path.basename(local_file))  # noqa: PTH119


def _received(chunks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """Yield, in another thread, what comes in on the loop."""

    async def receive() -> bytes | None:
        return await anext(chunks, None)

    while (chunk := asyncio.run_coroutine_threadsafe(receive(), loop).result()) is not None:
        yield chunk
