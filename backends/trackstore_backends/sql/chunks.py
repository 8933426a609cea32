"""How a chunk keeps points: column by column, compressed, with a summary for charts.

A chunk holds points of one run and key, sorted; chunks of one key never overlap.

* Integers are kept as what each adds to the one before it, in as few bytes as hold all of these;
  where each adds the same, there are none.
* Doubles are kept in blocks that can be read alone, with the first bytes of all numbers before
  the second bytes, and so on: neighbours are alike in their first bytes, and zlib finds that.
* The summary has, of each block, the least and the greatest number with its step and time.

zlib's fastest level is used: noise can't be compressed, and the rest is found at once.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import sub
from typing import Any, NamedTuple, TypeAlias

from trackstore.errors import BackendError
from trackstore.model import NAN_IMAGE, order_image

Integers: TypeAlias = "array[int]"
Doubles: TypeAlias = "array[float]"
Key = tuple[int, int, int]
"""(step, timestamp, order image of the value): a point, as the table `points` keeps it."""

_LEVEL = 1
_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF
_NAN_BITS = 0x7FF8_0000_0000_0000
_BOUNDS = struct.Struct("<7q")
_START = struct.Struct("<q")
_LINE = struct.Struct("<qIq")
_HEAD = struct.Struct("<I")
_EXTREMES = struct.Struct("<6q")
_LOW = 0xFFFF_FFFF
_WIDTHS = (0, "B"), (1, "B"), (2, "H"), (4, "I")
"""How many bytes a number may take, and the array that has them."""


class Columns(NamedTuple):
    """Points of one key, as columns of one length."""

    steps: Integers
    timestamps: Integers
    values: Doubles

    def key(self, place: int) -> Key:
        return self.steps[place], self.timestamps[place], order_image(self.values[place])

    def points(self) -> Iterator[Key]:
        return zip(self.steps, self.timestamps, map(order_image, self.values), strict=True)

    def part(self, start: int, end: int) -> "Columns":
        steps, timestamps, values = self
        return Columns(steps[start:end], timestamps[start:end], values[start:end])

    def extend(self, more: "Columns") -> None:
        self.steps.extend(more.steps)
        self.timestamps.extend(more.timestamps)
        self.values.extend(more.values)


class Chunk(NamedTuple):
    """A row of `chunks`, without its number, run and label."""

    last_step: int
    last_ts: int
    last_o: int
    first_step: int
    first_ts: int
    first_o: int
    points: int
    summary: bytes
    steps: bytes
    stamps: bytes
    doubles: bytes
    checksum: int

    @property
    def first(self) -> Key:
        return self[3:6]

    @property
    def last(self) -> Key:
        return self[:3]


class Extremes(NamedTuple):
    """Of a block the least and the greatest number; both its first point if it has only NaN."""

    least: Key
    greatest: Key


def columns_of(points: Sequence[Key]) -> Columns:
    if not points:
        return Columns(array("q"), array("q"), array("d"))
    steps, timestamps, images = zip(*points, strict=True)
    return Columns(array("q", steps), array("q", timestamps), _doubles(images))


def encoded(points: Sequence[Key], block: int) -> Chunk:
    """Return the chunk of some points, at least one, which are sorted."""
    steps, stamps, images = zip(*points, strict=True)
    chunk = Chunk(
        *points[-1],
        *points[0],
        len(points),
        _summary(points, images, block),
        _packed_integers(steps),
        _packed_integers(stamps),
        _packed_doubles(_doubles(images), block),
        0,
    )
    return chunk._replace(checksum=_checksum(chunk))


def checked(chunk: Chunk) -> Chunk:
    """Return the chunk, or raise `BackendError` if it is not as it was made."""
    if _checksum(chunk) != chunk.checksum:
        raise _damaged()
    return chunk


def decoded(chunk: Chunk) -> Columns:
    """Return the points of a chunk, which is checked."""
    checked(chunk)
    blocks = len(block_ends(chunk.points, block_size(chunk.summary)))
    values = array("d")
    for place in range(blocks):
        values.extend(doubles_of(chunk.doubles, place, blocks))
    return Columns(
        integers_of(chunk.steps, chunk.points), integers_of(chunk.stamps, chunk.points), values
    )


def _checksum(chunk: Chunk) -> int:
    found = zlib.crc32(_BOUNDS.pack(*chunk[:7]))
    for column in chunk[7:11]:
        found = zlib.crc32(column, found)
    return found


def _damaged() -> BackendError:
    return BackendError("points of a metric are damaged: a chunk does not match its checksum")


# The summary


def _summary(points: Sequence[Key], images: Sequence[int], block: int) -> bytes:
    ends = block_ends(len(points), block)
    found = [extremes(images[start:end]) for start, end in pairwise([0, *ends])]
    rows = [
        _EXTREMES.pack(*points[start + least], *points[start + greatest])
        for start, (least, greatest) in zip(range(0, len(points), block), found, strict=True)
    ]
    return _sealed(_HEAD.pack(block) + b"".join(rows))


def extremes(images: Sequence[int]) -> tuple[int, int]:
    """Return the places of the least and the greatest number; of equal ones the earliest."""
    least = min(images)
    if least == NAN_IMAGE:
        least = min((o for o in images if o != NAN_IMAGE), default=NAN_IMAGE)
    return images.index(least), images.index(max(images))


def block_size(summary: bytes) -> int:
    size: int = _HEAD.unpack_from(_opened(summary))[0]
    return size


def summarised(summary: bytes) -> list[Extremes]:
    """Return the extremes of each block of a chunk."""
    rows = _EXTREMES.iter_unpack(_opened(summary)[_HEAD.size :])
    return [Extremes(row[:3], row[3:]) for row in rows]


def block_ends(points: int, block: int) -> list[int]:
    """Return where each block of a chunk ends."""
    return [*range(block, points, block), points]


def _sealed(content: bytes) -> bytes:
    return content + _HEAD.pack(zlib.crc32(content))


def _opened(content: bytes) -> bytes:
    body = content[: -_HEAD.size]
    if len(body) < _HEAD.size or _sealed(body) != content:
        raise _damaged()
    return body


# Columns


def _packed_integers(numbers: Sequence[int]) -> bytes:
    """Keep what each number adds to the one before, less the least that any adds."""
    high, first = numbers[0] >> 32, numbers[0] & _LOW
    deltas = list(map(sub, numbers[1:], numbers)) or [0]
    least, most = min(deltas), max(deltas)
    surplus = numbers[-1] - numbers[0] - least * (len(numbers) - 1)  # of all deltas together
    if min(numbers) >> 32 != high or max(numbers) >> 32 != high or surplus > _LOW:
        return b"8" + _squeezed(array("q", numbers))
    width, code = next(each for each in _WIDTHS if (most - least) >> each[0] * 8 == 0)
    surpluses = array(code, [delta - least for delta in deltas] if width else ())
    squeezed = _squeezed(surpluses) if width else b""
    return b"%d" % width + _LINE.pack(high, first, least) + squeezed


def integers_of(packed: bytes, count: int) -> Integers:
    """Return a column of steps or timestamps."""
    width = int(packed[:1])
    if width == 8:
        return _restored(packed[1:], "q")
    high, first, least = _LINE.unpack_from(packed, 1)
    ones, places = _lanes(count)
    lanes = first * ones + least * places
    if width:
        lanes += _running_sums(zlib.decompress(packed[1 + _LINE.size :]), width, count)
    return _widened(lanes.to_bytes(4 * count, "big"), high)


def integer_at(packed: bytes, count: int, place: int) -> int:
    """Return one number of such a column."""
    width = int(packed[:1])
    if width == 8:
        return integers_of(packed, count)[place]
    high, first, least = _LINE.unpack_from(packed, 1)
    planes = zlib.decompress(packed[1 + _LINE.size :]) if width else b""
    starts = [plane * (count - 1) for plane in range(width)]
    surplus = sum(
        sum(planes[start : start + place]) << 8 * plane for plane, start in enumerate(starts)
    )
    return int((high << 32) + first + least * place + surplus)


# Numbers of 32 bits side by side in one large integer, the first in its highest bits, are all
# changed by one addition: several times faster than one by one, without a package for arrays.


@lru_cache(maxsize=8)
def _lanes(count: int) -> tuple[int, int]:
    """Return `count` ones, and the numbers from 0 on."""
    ones = int.from_bytes(b"\0\0\0\1" * count, "big")
    return ones, int.from_bytes(struct.pack(f">{count}I", *range(count)), "big")


def _running_sums(planes: bytes, width: int, count: int) -> int:
    """Return the sums of the first 0, 1, 2... numbers, whose bytes are arranged in planes."""
    raw = bytearray(4 * count)
    for place in range(width):
        raw[7 - place :: 4] = planes[place * (count - 1) : (place + 1) * (count - 1)]
    lanes, distance = int.from_bytes(raw, "big"), 32
    while distance < 32 * count:
        lanes += lanes >> distance
        distance *= 2
    return lanes


def _widened(lanes: bytes, high: int) -> Integers:
    """Return numbers of 64 bits, of which the high 32 are all the same."""
    raw = bytearray(_START.pack(high << 32) * (len(lanes) // 4))
    for place in range(4):
        raw[place::8] = lanes[3 - place :: 4]
    column = array("q")
    column.frombytes(raw)
    return _in_little_endian(column)


def _packed_doubles(values: Doubles, block: int) -> bytes:
    blocks = [_squeezed(values[start : start + block]) for start in range(0, len(values), block)]
    return b"".join([*(_HEAD.pack(len(each)) for each in blocks), *blocks])


def doubles_of(packed: bytes, place: int, blocks: int) -> Doubles:
    """Return the doubles of one of the blocks of a chunk."""
    sizes = struct.unpack_from(f"<{blocks}I", packed)
    start = _HEAD.size * blocks + sum(sizes[:place])
    return _restored(packed[start : start + sizes[place]], "d")


def _squeezed(column: "array[Any]") -> bytes:
    """Compress a column whose bytes are arranged by their place in a number."""
    raw, size = _in_little_endian(column).tobytes(), column.itemsize
    return zlib.compress(b"".join([raw[place::size] for place in range(size)]), _LEVEL)


def _restored(packed: bytes, code: str) -> "array[Any]":
    column = array(code)
    planes = zlib.decompress(packed)
    size, count = column.itemsize, len(planes) // column.itemsize
    raw = bytearray(len(planes))
    for place in range(size):
        raw[place::size] = planes[place * count : (place + 1) * count]
    column.frombytes(raw)
    return _in_little_endian(column)


def _in_little_endian(column: "array[Any]") -> "array[Any]":
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column


def _doubles(images: Sequence[int]) -> Doubles:
    """Return the doubles of order images."""
    if min(images) < 0:
        images = [o if o >= 0 else _NAN_BITS if o == NAN_IMAGE else o ^ _MAGNITUDE for o in images]
    column = array("d")
    column.frombytes(array("q", images).tobytes())
    return column
