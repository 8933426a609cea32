"""A bucket in memory, with a thousand tricks of real ones: for what all object stores share."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from msgspec import Struct, field

from trackstore.errors import AlreadyExists, NotFound, Unavailable
from trackstore.stores import Guarantees
from trackstore_backends.objects import (
    Batch,
    Body,
    Bucket,
    Changed,
    Head,
    ObjectArtifactStore,
    OutOfRange,
    Parts,
    Row,
)


class Service(Struct):
    """What is stored, and what is to go wrong: each trick is called once, by its verb."""

    objects: dict[str, tuple[bytes, Head]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    tricks: dict[str, Callable[[], None]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=Lock)
    by_folder: bool = False

    def trick(self, verb: str) -> None:
        self.calls.append(verb)
        if verb in self.tricks:
            self.tricks.pop(verb)()


SERVICES: dict[str, Service] = {}


class MemoryBucket(Bucket):
    part_size: ClassVar = 1 << 20

    def __init__(self, service: Service) -> None:
        self._service = service
        self.by_folder = service.by_folder

    def head(self, key: str) -> Head:
        self._service.trick("head")
        return self._find(key)[1]

    def _find(self, key: str) -> tuple[bytes, Head]:
        try:
            return self._service.objects[key]
        except KeyError as error:
            raise NotFound("there is no such artifact") from error

    def read(self, key: str, start: int, length: int | None, tag: str | None) -> Body:
        self._service.trick("read")
        whole, head = self._find(key)
        if tag not in (None, head.tag):
            raise Changed
        if start >= len(whole) and (start or length is not None):
            raise OutOfRange
        end = len(whole) if length is None else start + length
        return Reply(self._service, head, whole[start:end])

    def write(self, key: str, body: bytes, *, mark: str, absent: bool) -> None:
        with self._service.lock:
            if absent and key in self._service.objects:
                raise AlreadyExists("an artifact of this path is there", field="path")
            self._service.objects[key] = body, Head(len(body), uuid4().hex, mark)
        self._service.trick("write")

    def begin(self, key: str, *, mark: str, absent: bool) -> Parts:
        return MemoryParts(self._service, partial(self.write, key, mark=mark, absent=absent))

    def _list(self, prefix: str, after: str | None, *, level: bool, most: int) -> Iterator[Batch]:
        found: set[Row] = set()
        with self._service.lock:
            objects = {key: whole for key, (whole, _) in self._service.objects.items()}
        if prefix.endswith("/"):
            objects[prefix] = b""  # as consoles make for folders
        for key, whole in objects.items():
            rest = key.removeprefix(prefix)
            if key.startswith(prefix) and level and "/" in rest:
                found.add(Row(prefix + rest[: rest.index("/") + 1]))
            elif key.startswith(prefix):
                found.add(Row(key, len(whole)))
        rows = sorted(found, key=lambda row: self._place(row.key))
        begin = 0
        if after is not None:
            begin = bisect_right(rows, self._place(after), key=lambda row: self._place(row.key))
        while True:
            self._service.trick("list")
            end = begin + min(most, 5)
            yield Batch(rows[begin:end], more=end < len(rows))
            if end >= len(rows):
                return
            begin = end

    def _place(self, key: str) -> object:
        return key.rstrip("/").split("/") if self._service.by_folder else key

    def delete(self, keys: Sequence[str]) -> None:
        self._service.trick("delete")
        with self._service.lock:
            for key in keys:
                self._service.objects.pop(key, None)

    def sign(
        self, key: str, verb: Literal["GET", "PUT"], seconds: int
    ) -> tuple[str, dict[str, str]]:
        return f"memory:{verb}:{key}:{seconds}", {}

    def close(self) -> None:
        self._service.calls.append("close")


class MemoryParts(Parts):
    def __init__(self, service: Service, publish: Callable[..., None]) -> None:
        self._service = service
        self._publish = publish
        self._id = uuid4().hex
        self._noted: list[int] = []
        service.uploads[self._id] = {}

    def note(self, part: bytes) -> None:
        self._noted.append(len(part))

    def send(self, number: int, part: bytes) -> None:
        self._service.trick(f"send {number}")
        self._service.uploads[self._id][number] = part

    def finish(self) -> None:
        parts = self._service.uploads.get(self._id)
        if parts is None:
            raise NotFound("there is no such upload")
        assert [len(parts[number]) for number in sorted(parts)] == self._noted
        self._publish(b"".join(parts[number] for number in sorted(parts)))
        del self._service.uploads[self._id]
        self._service.trick("finish")

    def abort(self) -> None:
        self._service.trick("abort")
        self._service.uploads.pop(self._id, None)


class Reply(Body):
    def __init__(self, service: Service, head: Head, rest: bytes) -> None:
        super().__init__(head.size, head.tag)
        self._service = service
        self._rest = rest

    def __next__(self) -> bytes:
        if not self._rest:
            raise StopIteration
        self._service.trick("chunk")
        chunk, self._rest = self._rest[:100_000], self._rest[100_000:]
        return chunk

    def close(self) -> None:
        self._rest = b""


class MemoryBucketStore(ObjectArtifactStore[MemoryBucket]):
    guarantees: ClassVar = Guarantees(durability="none")
    ephemeral: ClassVar = True

    @classmethod
    def from_url(cls, url: str) -> Self:
        """`tree` in the query makes a bucket that lists as a file system does."""
        parts = urlsplit(url)
        tree = "tree" in parse_qs(parts.query, keep_blank_values=True)
        service = SERVICES.setdefault(parts.netloc, Service(by_folder=tree))
        return cls(partial(MemoryBucket, service), "some/prefix/")


def lost_reply() -> None:
    raise Unavailable("the reply was lost", outcome="unknown")
