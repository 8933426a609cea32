"""The journal: a file of frames, to which frames are only ever added.

A frame is what one write adds, with its length and checksum::

    mark    checksum  previous  length  payload
    4       4         4         8       length     bytes, little-endian

`checksum` is the CRC-32 of the journal's header and of all that follows it in the frame, and
`previous` the checksum of the frame before.  So the bytes of an older frame, or of another
journal, are never taken for the next frame.  A frame is only begun when all before it have reached
the disk.  So a bad frame with a good one behind it is damage; without one, a write was cut off.
"""

import os
from collections.abc import Iterator
from secrets import token_hex
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from trackstore.errors import BackendError, Unsupported

VERSION = 1
HEADER = 65
"""The size of a journal's header, a line of text: its title, version, name and checksum."""
_TITLE = b"trackstore records "
_BODY = 55
_HEAD = Struct("<4sIIQ")
_MARK = b"\xf7Rec"
_SUMMED = 8
"""Where the part of a frame begins that its checksum covers."""
_AHEAD = 64 * 1024


class Frame(NamedTuple):
    start: int
    checksum: int
    previous: int
    payload: bytes

    @property
    def end(self) -> int:
        return self.start + _HEAD.size + len(self.payload)


class Journal:
    """A journal as it is in an open file, which is read by offset and a part at a time."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.header = _read_header(file)
        self.seed = crc32(self.header)
        self._ahead = b""
        self._at = 0

    def frames(self, start: int, previous: int) -> Iterator[Frame]:
        """Yield the frames from `start` on; the first follows the one of checksum `previous`."""
        while self._has_more(start):
            frame = self._frame(start)
            if frame is None or frame.previous != previous:
                self._check_that_is_the_end(start, previous)
                return
            yield frame
            start, previous = frame.end, frame.checksum

    def frame(self, start: int) -> Frame:
        """Return the frame that is known to start there."""
        found = self._frame(start)
        if found is None:
            raise damaged(start)
        return found

    def holds(self, start: int, checksum: int, end: int) -> bool:
        """Tell whether the frame at `start` is still the one that was read before."""
        head = self._read(start, _HEAD.size)
        return self._has_more(end - 1) and _HEAD.unpack(head)[1] == checksum

    def add(self, start: int, previous: int, payload: bytes) -> Frame:
        """Write a frame at the end, `start`, over what a write that was cut off left there."""
        frame, data = framed(self.header, start, previous, payload)
        if self._has_more(start):
            os.ftruncate(self.file, start)
        write_at(self.file, data, start)
        return frame

    def _has_more(self, start: int) -> bool:
        return os.fstat(self.file).st_size > start

    def _frame(self, start: int) -> Frame | None:
        head = self._read(start, _HEAD.size)
        if len(head) < _HEAD.size or not head.startswith(_MARK):
            return None
        _, checksum, previous, length = _HEAD.unpack(head)
        if length > _AHEAD and not self._has_more(start + _HEAD.size + length - 1):
            return None
        payload = self._read(start + _HEAD.size, length)
        if len(payload) < length or checksum != _checksum(self.seed, head, payload):
            return None
        return Frame(start, checksum, previous, payload)

    def _read(self, start: int, length: int) -> bytes:
        begin = start - self._at
        if begin < 0 or begin + length > len(self._ahead):
            self._ahead, self._at, begin = os.pread(self.file, max(length, _AHEAD), start), start, 0
        return self._ahead[begin : begin + length]

    def _check_that_is_the_end(self, place: int, previous: int) -> None:
        """Raise if a good frame lies at or behind a place where none follows the last one."""
        at = place
        while len(rest := self._read(at, _AHEAD)) >= _HEAD.size:
            mark = rest.find(_MARK)
            if mark < 0:
                at += len(rest) - len(_MARK) + 1
            elif self._frame(at + mark) is None:
                at += mark + 1
            else:
                self._ahead = b""  # since this one is good, the one that follows is whole by now
                follower = self._frame(place)
                if follower is None or follower.previous != previous:
                    raise damaged(place)
                return


def new_header() -> bytes:
    """Return the header of a new journal, with a name that no other has."""
    body = _TITLE + b"%03d %s" % (VERSION, token_hex(16).encode())
    return body + b" %08x\n" % crc32(body)


def framed(header: bytes, start: int, previous: int, payload: bytes) -> tuple[Frame, bytes]:
    """Return a frame and the bytes it is written as."""
    head = _HEAD.pack(_MARK, 0, previous, len(payload))
    checksum = _checksum(crc32(header), head, payload)
    frame = Frame(start, checksum, previous, payload)
    return frame, _HEAD.pack(_MARK, checksum, previous, len(payload)) + payload


def write_at(file: int, data: bytes, start: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, start)
        rest, start = rest[written:], start + written


def damaged(place: int) -> BackendError:
    return BackendError(f"the records are damaged at byte {place}: restore them from a copy")


def _checksum(seed: int, head: bytes, payload: bytes) -> int:
    return crc32(payload, crc32(head[_SUMMED:], seed))


def _read_header(file: int) -> bytes:
    header = os.pread(file, HEADER, 0)
    version = header.removeprefix(_TITLE).partition(b" ")[0]
    if header.startswith(_TITLE) and version.isdigit() and int(version) > VERSION:
        raise Unsupported(
            f"the records are of version {int(version)}, which a newer trackstore made: upgrade"
        )
    if header[_BODY:] != b" %08x\n" % crc32(header[:_BODY]):
        raise damaged(0)
    return header
