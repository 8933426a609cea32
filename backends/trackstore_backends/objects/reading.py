"""A range of one version of an object, read on where a connection broke."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from trackstore.errors import Conflict, InvalidRequest, Unavailable
from trackstore_backends.calls import Calls
from trackstore_backends.objects.bucket import Body, Changed, Head, OutOfRange

_MOST_TRIES = 4
"""Replies in a row of which not one byte came."""


class Source(NamedTuple):
    """One object, or one version of it."""

    read: Callable[[int, int | None, str | None], Body]
    """As `Bucket.read`, without the key."""
    head: Callable[[], Head]


def open_range(
    calls: Calls, source: Source, start: int, length: int | None
) -> tuple["Chunks", int]:
    """Return the chunks, of which the first reply has begun, and the size of the whole."""
    if start < 0 or (length is not None and length < 0):
        raise InvalidRequest("a range of an artifact begins or is less than 0")
    with calls:
        body, size = _first_reply(source, start, length)
    end = size if length is None else min(start + length, size)
    return Chunks(calls, source, start, end, body), size


def _first_reply(source: Source, start: int, length: int | None) -> tuple[Body | None, int]:
    """Return the reply, or None if there is nothing to read, and the size of the whole."""
    while length != 0:
        try:
            body = source.read(start, length, None)
        except OutOfRange:
            if start >= (size := source.head().size):
                return None, size
        else:
            return body, body.size
    return None, source.head().size


class Chunks(Iterator[bytes]):
    """The chunks of a range, all of the version that the first reply was of."""

    def __init__(
        self, calls: Calls, source: Source, start: int, end: int, body: Body | None
    ) -> None:
        self._calls = calls
        self._source = source
        self._at = start
        self._end = end if body else start
        self._body = body
        self._tag = body.tag if body else None

    def __next__(self) -> bytes:
        if self._at >= self._end:
            self.close()
            raise StopIteration
        with self._calls:
            chunk = self._read()
        self._at += len(chunk)
        return chunk

    def _read(self) -> bytes:
        for tries in range(1, _MOST_TRIES + 1):
            try:
                if self._body is None:
                    self._body = self._reopen()
                return next(self._body)
            except Unavailable:
                self._release()
                if tries == _MOST_TRIES:
                    raise
        raise AssertionError

    def _reopen(self) -> Body:
        try:
            return self._source.read(self._at, self._end - self._at, self._tag)
        except (Changed, OutOfRange) as error:
            raise Conflict("the artifact was replaced while it was read") from error

    def close(self) -> None:
        self._end = self._at
        self._release()

    def _release(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()

    __del__ = close
