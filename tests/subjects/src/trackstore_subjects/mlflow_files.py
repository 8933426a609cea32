"""MLflow's local artifact repository, written to file by file and by folders."""

import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import ClassVar

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from trackstore.errors import (
    BackendError,
    Conflict,
    InvalidRequest,
    NotFound,
    TrackstoreError,
    Unsupported,
)
from trackstore.model import ArtifactInfo
from trackstore.stores import ArtifactReader, Guarantees
from trackstore_subjects.fsspec_files import Files


class LogArtifact(Files):
    """One file at a time, as MLflow's own server writes an upload."""

    guarantees: ClassVar = Guarantees(durability="process-crash", create_only="none")

    def opened(self, path: str) -> LocalArtifactRepository:
        return LocalArtifactRepository(f"{path}/artifacts")

    @staticmethod
    def translated(error: Exception) -> TrackstoreError:
        if isinstance(error, MlflowException):
            code = error.error_code
            if code == "RESOURCE_DOES_NOT_EXIST":
                return NotFound(str(error))
            if code == "INVALID_PARAMETER_VALUE":
                return InvalidRequest(str(error))
        in_the_way = (FileExistsError, IsADirectoryError, NotADirectoryError)
        return (Conflict if isinstance(error, in_the_way) else BackendError)(repr(error))

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if if_absent:
            raise Unsupported("MLflow has no put for new files alone")
        whole = b"".join(chunks)
        folder, _, name = path.rpartition("/")
        self.call(self.log, whole, name, folder or None)
        return ArtifactInfo(path, len(whole))

    def log(self, whole: bytes, name: str, folder: str | None) -> None:
        self.theirs.log_artifact_from_stream(BytesIO(whole), name, folder)

    def local(self, path: str) -> Path:
        return Path(self.call(self.theirs.download_artifacts, path))

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        if (file := self.local(path)).is_dir():
            raise NotFound("it is a folder")
        whole = self.call(file.read_bytes)
        end = len(whole) if length is None else start + length
        return ArtifactReader(iter([whole[start:end]]), len(whole))

    def stat(self, path: str) -> ArtifactInfo:
        file = self.local(path)
        return ArtifactInfo(path, None if file.is_dir() else file.stat().st_size, file.is_dir())

    def listed(self, prefix: str, *, deep: bool) -> Iterator[ArtifactInfo]:
        for found in self.call(self.theirs.list_artifacts, prefix or None):
            if deep and found.is_dir:
                yield from self.listed(found.path, deep=True)
            else:
                yield ArtifactInfo(found.path, found.file_size, found.is_dir)

    def delete(self, path: str) -> None:
        self.call(self.theirs.delete_artifacts, path)


class LogArtifacts(LogArtifact):
    """A folder of one file, by `log_artifacts`."""

    def log(self, whole: bytes, name: str, folder: str | None) -> None:
        with tempfile.TemporaryDirectory() as outside:
            Path(outside, name).write_bytes(whole)
            self.theirs.log_artifacts(outside, folder)
