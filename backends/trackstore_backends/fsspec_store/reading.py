"""The chunks of one version of a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trackstore.errors import BackendError, TrackstoreError, Unavailable
from trackstore_backends.calls import Calls
from trackstore_backends.fsspec_store.errors import translated

CHUNK = 256 * 1024


def slices(whole: bytes, start: int, end: int) -> Iterator[bytes]:
    return (whole[at : min(at + CHUNK, end)] for at in range(start, end, CHUNK))


class Source:
    """An open file; `version` tells which version its path has, if a file does not stay."""

    def __init__(
        self, file: Any, size: Callable[[Any], int], version: Callable[[], str] | None
    ) -> None:
        self.file = file
        self._size = size
        self._version = version
        self._first = version() if version else ""

    def read(self, most: int) -> bytes:
        chunk: bytes = self.file.read(most)
        if self._version and self._version() != self._first:
            raise Unavailable("the artifact was replaced while it was read; read it again")
        if not chunk:
            self._size(self.file)  # raises if not the file has ended, but the connection
            raise BackendError("another program has shortened this artifact while it was read")
        return chunk


class FileChunks(Iterator[bytes]):
    def __init__(
        self,
        calls: Calls,
        source: Source,
        span: tuple[int, int],
        done: Callable[[BaseException | None], None],
    ) -> None:
        """`done` is told what the reading ended with, if it failed."""
        self._calls = calls
        self._source: Source | None = source
        self._at, self._end = span
        self._done = done
        self._error: TrackstoreError | None = None

    def __next__(self) -> bytes:
        if self._source is None or self._at >= self._end:
            self.close()
            raise StopIteration
        with self._calls, self._reading():
            chunk = self._source.read(min(CHUNK, self._end - self._at))
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            try:
                with self._reading():
                    source.file.close()
            finally:
                self._done(self._error)

    __del__ = close

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with translated("read a file"):
                yield
        except TrackstoreError as error:
            self._error = error
            raise
