"""What a service has to do: the narrow interface below `ObjectArtifactStore`.

Keys are whole, with the store's prefix.  Everything may be called by many threads at once, and
raises only errors of the contract, or one of the two below; `outcome` is "unknown" where a reply to
a `write`, `finish` or `delete` was lost, and "none" everywhere else.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, Literal

from msgspec import Struct

from trackstore.errors import Unavailable

MARK: Final = "trackstore-put"
"""The name of the metadata that tells a put which object is its own."""


class OutOfRange(Exception):
    """The object ends before the range begins."""


class Changed(Exception):
    """The object is there, and no longer the version that was asked for."""


class Head(Struct, frozen=True):
    size: int
    tag: str
    """What names the version to `read`: an ETag or a generation."""
    mark: str | None = None


class Row(Struct, frozen=True):
    """An object, or a folder, which has no size and whose key ends in `/`."""

    key: str
    size: int | None = None


class Batch(Struct, frozen=True):
    rows: Sequence[Row]
    more: bool
    """Another batch follows."""


class Body(Iterator[bytes], ABC):
    """The bytes of a range of one version, from one reply.

    Raises `Unavailable` if the reply ends too soon: `ObjectArtifactStore` reads on from there.
    """

    def __init__(self, size: int, tag: str) -> None:
        self.size = size
        """Of the whole object."""
        self.tag = tag

    @abstractmethod
    def close(self) -> None:
        """Give the connection back.  Idempotent."""


class Parts(ABC):
    """An upload in parts, which nobody sees before `finish`."""

    @abstractmethod
    def note(self, part: bytes) -> None:
        """See every part once, in order, before it is sent: for a checksum of the whole."""

    @abstractmethod
    def send(self, number: int, part: bytes) -> None:
        """Send a part, the first of which is number 1; `Bucket.in_flight` of them at once."""

    @abstractmethod
    def finish(self) -> None:
        """Publish the parts that were sent; raises as `Bucket.write` does."""

    @abstractmethod
    def abort(self) -> None:
        """Remove the parts that were sent, after the last `send` has returned."""


class Bucket(ABC):
    """A bucket or container, by a connection that one process uses."""

    part_size: ClassVar = 8 << 20
    """Bytes of a part, and the most that is sent in one request.  Parts grow when there are many,
    so that the whole may be large: see `uploading`."""
    in_flight: ClassVar = 3
    """Parts of one upload that are sent at once; 1 where the service takes them in order."""
    by_folder: bool = False
    """It lists as a file system does, `a/b` before `a-b`; otherwise by the keys' code points."""

    @abstractmethod
    def head(self, key: str) -> Head:
        """Raises `NotFound` if there is no such object."""

    @abstractmethod
    def read(self, key: str, start: int, length: int | None, tag: str | None) -> Body:
        """Return the bytes from `start`, at most `length` (over 0) of them, of the version `tag`.

        Raises `NotFound`, `OutOfRange` if `start` is at or beyond the end (but start 0 without a
        length reads an empty object), or `Changed`.
        """

    @abstractmethod
    def write(self, key: str, body: bytes, *, mark: str, absent: bool) -> None:
        """Publish an object in one request, with `mark` as its metadata `MARK`.

        Raises `AlreadyExists` if `absent` is set and the object is there: maybe since this very
        call, if its first attempt was done and the reply lost.
        """

    @abstractmethod
    def begin(self, key: str, *, mark: str, absent: bool) -> Parts:
        """Begin an upload in parts, which is published as `write` would."""

    def list(self, prefix: str, after: str | None, *, level: bool, most: int) -> Iterator[Batch]:
        """Yield the keys that begin with `prefix` and come after `after`, in the service's order.

        With `level`, what lies below a further `/` comes as one folder.  `most` is how many rows
        are wanted, and may be passed on as the size of a batch; the listing goes on beyond.

        Other keys are refused: where a bit of the request was damaged on its way, they may be all
        that there are, and the caller may be about to delete what it finds.
        """
        for batch in self._list(prefix, after, level=level, most=most):
            if not all(row.key.startswith(prefix) for row in batch.rows):
                raise Unavailable(
                    "the service listed another folder than it was asked for: try again"
                )
            yield batch

    @abstractmethod
    def _list(self, prefix: str, after: str | None, *, level: bool, most: int) -> Iterator[Batch]:
        """Do so, without looking at the keys."""

    @abstractmethod
    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, at most a batch of `list` and one more; missing ones are no error."""

    @abstractmethod
    def sign(
        self, key: str, verb: Literal["GET", "PUT"], seconds: int
    ) -> tuple[str, dict[str, str]]:
        """Return a URL for one verb on one object, and the headers that must be sent to it."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""
