"""Many files at once: threads, their end, and how far they are."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")


class Progress(Struct, frozen=True):
    """How far an upload or a download is: files and bytes that are done, of those found so far."""

    files: int = 0
    bytes: int = 0
    files_found: int = 0
    bytes_found: int = 0
    is_counted: bool = False
    """No more files will be found."""


class Stopped(Exception):
    """Another file has failed, so this one is not finished; it is raised to no caller."""


class Transfer:
    """Counts what is moved, tells it, and ends all if one fails.  Thread-safe.

    `tell` is called from any thread, by one at a time.
    """

    def __init__(self, tell: Callable[[Progress], object] | None = None) -> None:
        self._tell = tell
        self._lock = Lock()
        self._now = Progress()
        self._is_stopped = False

    def found(self, size: int, files: int = 1) -> None:
        self._add(files_found=files, bytes_found=size)

    def counted(self) -> None:
        self._add(is_counted=True)

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks of one file, and count them and it."""
        for chunk in chunks:
            if self._is_stopped:
                raise Stopped
            yield chunk
            self._add(moved=len(chunk))
        self._add(files=1)

    def _add(
        self,
        files: int = 0,
        moved: int = 0,
        files_found: int = 0,
        bytes_found: int = 0,
        *,
        is_counted: bool = False,
    ) -> None:
        with self._lock:
            now = self._now
            self._now = Progress(
                now.files + files,
                now.bytes + moved,
                now.files_found + files_found,
                now.bytes_found + bytes_found,
                now.is_counted or is_counted,
            )
            if self._tell is not None:
                self._tell(self._now)

    def each(self, move: Callable[[T], object], items: Iterable[T], workers: int) -> None:
        """Call `move` with each item, in so many threads.

        An item is taken when a thread is free for it.  If one fails, no other is begun, those
        under way stop at their next chunk, and its error is raised.
        """
        with ThreadPoolExecutor(workers, "trackstore-transfer") as pool:
            under_way: set[Future[object]] = set()
            try:
                for item in items:
                    if len(under_way) >= workers:
                        under_way = _rest(under_way)
                    under_way.add(pool.submit(move, item))
                self.counted()
                while under_way:
                    under_way = _rest(under_way)
            finally:
                self._is_stopped = True


def _rest(under_way: set[Future[object]]) -> set[Future[object]]:
    """Return what is left when some have ended, or raise what one of those did."""
    ended, left = wait(under_way, return_when=FIRST_COMPLETED)
    errors = [error for error in (each.exception() for each in ended) if error is not None]
    if errors:
        raise next((error for error in errors if not isinstance(error, Stopped)), errors[0])
    return left
