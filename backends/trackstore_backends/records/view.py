"""What a handle knows of a journal: all but the points, and in which frames they are.

The journal is the truth.  A view is made by reading it; an index is a view that was written to a
file, so that the next process need not read the journal from its beginning.
"""

from secrets import token_hex
from struct import Struct as Layout
from struct import pack
from typing import Self
from zlib import crc32

import msgspec
from msgspec import Struct, field

from trackstore.errors import TrackstoreError
from trackstore_backends.records.journal import HEADER, Frame, Journal, damaged
from trackstore_backends.records.operations import KeepPoints, Log, Operation, decoded
from trackstore_backends.state import Rows, State

_INDEX_HEAD = Layout("<QI")
INDEX_HEAD = HEADER + _INDEX_HEAD.size
"""How many bytes stand before an index: the journal's header, how far it was read, a checksum."""


INDEX_FORMAT = 2
"""What an index of another format says is not read: it lacks the models."""


class Places(Struct):
    """Where the points of a run are: for each key the starts of frames, as 8 bytes each."""

    by_key: dict[str, bytearray] = field(default_factory=dict)
    size: int = 0
    """How many bytes of the journal are the run's, nearly."""


class Index(Struct):
    header: bytes
    """That of the journal, which no other has."""
    last: int
    """The start of the last frame that was read; 0 if there was none."""
    checksum: int
    """That of the last frame."""
    end: int
    rows: Rows
    places: dict[str, Places]
    dead: int
    """How many bytes of the journal belong to what was purged, nearly."""


class View:
    """Follows a journal."""

    def __init__(self, index: Index) -> None:
        self.name = token_hex(8)
        self.index = index
        self.state = State(index.rows)

    @classmethod
    def of_nothing(cls, header: bytes) -> Self:
        return cls(Index(header, 0, crc32(header), HEADER, Rows(), {}, 0))

    @classmethod
    def loaded(cls, data: bytes, journal: Journal) -> Self | None:
        """Return the view that was written to a file, unless it is none of this journal's."""
        body = data[INDEX_HEAD:]
        if data[:INDEX_HEAD] != _head(journal.header, indexed_end(data, journal.header), body):
            return None
        try:
            view = cls(_index_decoder.decode(body))
        except msgspec.DecodeError:  # another version wrote it
            return None
        return view if view.is_of(journal) else None

    def dumped(self) -> bytes:
        body = msgspec.msgpack.encode(self.index)
        return _head(self.index.header, self.index.end, body) + body

    def places(self, run_id: str) -> Places:
        return self.index.places.get(run_id, Places())

    def is_of(self, journal: Journal) -> bool:
        """Tell whether all that was read is still in the journal.

        What was read before it reached the disk is undone if it did not.
        """
        index = self.index
        is_same = journal.header == index.header
        return is_same and (index.last == 0 or journal.holds(index.last, index.checksum, index.end))

    def follow(self, journal: Journal) -> None:
        """Read what was added.  After an error the view is of no use."""
        for frame in journal.frames(self.index.end, self.index.checksum):
            try:
                operations = decoded(frame.payload)
                for operation in operations:
                    self.apply(operation, frame.start, len(frame.payload) // len(operations))
            except (msgspec.DecodeError, TrackstoreError) as error:
                raise damaged(frame.start) from error
            self.passed(frame)

    def apply(self, operation: Operation, start: int, size: int) -> object:
        """Do what an operation of the frame at `start` says, or raise and change nothing."""
        result = operation.apply(self.state)
        if isinstance(operation, Log | KeepPoints):
            self._add_places(operation, start, size)
        elif isinstance(result, list):
            for run_id in result:
                self.index.dead += self.index.places.pop(run_id, Places()).size
        return result

    def passed(self, frame: Frame) -> None:
        self.index.last, self.index.checksum, self.index.end = (
            frame.start,
            frame.checksum,
            frame.end,
        )

    def _add_places(self, operation: Log | KeepPoints, start: int, size: int) -> None:
        places = self.index.places.setdefault(operation.run_id, Places())
        places.size += size
        packed = pack("<Q", start)
        for key in {point[0] for point in operation.points}:
            known = places.by_key.setdefault(key, bytearray())
            if not known.endswith(packed):
                known += packed


def indexed_end(head: bytes, header: bytes) -> int:
    """Return how much of the journal with this header an index covers, by its first bytes."""
    if len(head) < INDEX_HEAD or not head.startswith(header):
        return 0
    end: int = _INDEX_HEAD.unpack_from(head, HEADER)[0]
    return end


def _head(header: bytes, end: int, body: bytes) -> bytes:
    return header + _INDEX_HEAD.pack(end, crc32(body, crc32(b"%d %d" % (INDEX_FORMAT, end))))


_index_decoder = msgspec.msgpack.Decoder(Index)
