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


class FileChunks(Iterator[bytes]):
    """Reads an open file; `version` tells which version its path has, if a file does not stay."""

    def __init__(
        self,
        calls: Calls,
        file: Any,
        span: tuple[int, int],
        version: Callable[[], str] | None,
        done: Callable[[BaseException | None], None],
    ) -> None:
        """`done` is told what the reading ended with, if it failed."""
        self._calls = calls
        self._file = file
        self._at, self._end = span
        self._version = version
        self._first = version() if version else ""
        self._done = done
        self._error: TrackstoreError | None = None

    def __next__(self) -> bytes:
        if self._file is None or self._at >= self._end:
            self.close()
            raise StopIteration
        with self._calls, self._reading():
            chunk: bytes = self._file.read(min(CHUNK, self._end - self._at))
            if self._version and self._version() != self._first:
                raise Unavailable("the artifact was replaced while it was read; read it again")
        if not chunk:
            raise BackendError("another program has shortened this artifact while it was read")
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                with self._reading():
                    file.close()
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
