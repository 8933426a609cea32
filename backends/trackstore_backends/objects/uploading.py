"""How the chunks of a put become one object, in bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from trackstore.errors import AlreadyExists, NotFound, TrackstoreError
from trackstore_backends.objects.bucket import Bucket, Head, Parts

_PARTS_OF_A_SIZE: Final = 2_000
"""Parts double in size after so many, so that 10,000 parts hold almost 500 GB."""


def upload(
    bucket: Bucket, pool: Executor, key: str, chunks: Iterable[bytes], *, absent: bool
) -> int:
    """Publish the chunks under the key, and return how many bytes they were.

    Nothing is published if `chunks` raises, and what was sent already is removed.
    """
    mark = uuid4().hex
    try:
        return _publish(bucket, pool, key, cut(chunks, bucket.part_size), mark, absent=absent)
    except (AlreadyExists, NotFound):
        # A reply was lost, the SDK asked again, and was told that its own first attempt is there.
        found = _find(bucket, key)
        if found is None or found.mark != mark:
            raise
        return found.size


def _publish(
    bucket: Bucket, pool: Executor, key: str, parts: Iterator[bytes], mark: str, *, absent: bool
) -> int:
    first = next(parts)
    second = next(parts, None)
    if second is None:
        bucket.write(key, first, mark=mark, absent=absent)
        return len(first)
    with _Sending(pool, bucket.begin(key, mark=mark, absent=absent), bucket.in_flight) as sending:
        sending.add(first)
        sending.add(second)
        del first, second  # two parts less in memory
        for part in parts:
            sending.add(part)
        sending.finish()
    return sending.size


def cut(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the bytes in parts of `size`, and later larger ones; at least one, and the last any."""
    number, part = 1, bytearray()
    for chunk in chunks:
        rest = memoryview(chunk)
        while len(rest) > 0:
            room = (size << (number - 1) // _PARTS_OF_A_SIZE) - len(part)
            if room == 0:
                yield bytes(part)
                number, part = number + 1, bytearray()
                continue
            part += rest[:room]
            rest = rest[room:]
    yield bytes(part)


class _Sending:
    """The parts of one upload that are under way."""

    def __init__(self, pool: Executor, parts: Parts, most: int) -> None:
        self._pool = pool
        self._parts = parts
        self._most = most
        self._under_way: deque[Future[None]] = deque()
        self._number = 0
        self.size = 0

    def add(self, part: bytes) -> None:
        self._parts.note(part)
        self.wait(self._most - 1)
        self._number += 1
        self.size += len(part)
        self._under_way.append(self._pool.submit(self._parts.send, self._number, part))

    def wait(self, most: int) -> None:
        """Return when at most so many are under way; raise what one of them raised."""
        while len(self._under_way) > most:
            self._under_way[0].result()
            self._under_way.popleft()

    def finish(self) -> None:
        self.wait(0)
        self._parts.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None:
            return
        self._stop()
        try:
            self._parts.abort()
        except TrackstoreError as failure:
            exc.add_note(f"the parts that were sent are left to a sweep: {failure}")

    def _stop(self) -> None:
        """Return when none is under way, whatever became of them."""
        for each in self._under_way:
            each.cancel()
        for each in self._under_way:
            if not each.cancelled():
                each.exception()


def _find(bucket: Bucket, key: str) -> Head | None:
    try:
        return bucket.head(key)
    except NotFound:
        return None
