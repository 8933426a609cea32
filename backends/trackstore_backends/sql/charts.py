"""A history thinned out for a chart, mostly from the summaries of its chunks.

Of each block of a chunk the extremes are kept with it.  Only those blocks are read that the edge
of a bucket cuts in two, and chunks among whose points loose ones lie.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from math import isnan
from typing import NamedTuple

from trackstore.model import NAN_IMAGE, MetricColumns, MetricCursor, from_order_image, order_image
from trackstore_backends.sql import series
from trackstore_backends.sql.chunks import (
    Chunk,
    Doubles,
    Integers,
    Key,
    block_ends,
    block_size,
    columns_of,
    decoded,
    doubles_of,
    integer_at,
    integers_of,
    summarised,
)
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.series import Series

LOOSE = 25_000
"""How many loose points are fetched at once."""

ONE_BY_ONE = 6
"""Finding so many numbers of a column one by one takes as long as decoding all of it."""

GREATEST = 2**63 - 1
ABOVE_ALL = 2**63
"""Stands for NaN where the least number is sought."""


def downsample(
    session: Session,
    labels: Labels,
    run_id: str,
    key: str,
    *,
    steps: tuple[int, int],
    most: int,
) -> MetricColumns[MetricCursor]:
    reader = Reader(session)
    pieces = list(_pieces(session, reader, series.find(session, labels, run_id, key), *steps))
    count = sum(piece.count for piece in pieces)
    if count <= most:
        return MetricColumns(*columns_of([point for piece in pieces for point in piece.points()]))
    chosen = {pieces[0].first, pieces[-1].last}
    buckets = list(_buckets(pieces, count, (most - 2) // 2))
    reader.expect(
        [piece.number for bucket in buckets for piece, *ends in bucket if piece.cut(*ends)]
    )
    for bucket in buckets:
        candidates = [each for piece, *ends in bucket for each in piece.candidates(*ends)]
        chosen.add(min(candidates, key=_number).key())
        chosen.add(max(candidates, key=lambda each: each.o).key())
    return MetricColumns(*columns_of(sorted(chosen)))


class Candidate(NamedTuple):
    """A point that may be an extreme of its bucket; which one it is is only found if it is."""

    o: int
    piece: "Piece"
    start: int
    end: int
    known: Key | None = None

    def key(self) -> Key:
        return self.known or self.piece.find(self.o, self.start, self.end)


def _number(candidate: Candidate) -> int:
    return ABOVE_ALL if candidate.o == NAN_IMAGE else candidate.o


class Piece(ABC):
    """Some points in a row, at least one."""

    count: int
    first: Key
    last: Key
    number = 0
    """The chunk's, if it is one."""

    def cut(self, start: int, end: int) -> bool:  # noqa: ARG002 - it is read already
        """Tell if more of it must be read to know its points from `start` to `end`."""
        return False

    @abstractmethod
    def points(self) -> Iterable[Key]: ...

    @abstractmethod
    def candidates(self, start: int, end: int) -> Iterator[Candidate]:
        """Yield points, in order; the extremes from `start` to `end` are the earliest of them.

        A point without a number is only among them where there is no other.
        """

    @abstractmethod
    def find(self, o: int, start: int, end: int) -> Key:
        """Return the earliest point of this value from `start` to `end`."""


class Open(Piece):
    """Points that have been read."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self.count = len(keys)
        self.first, self.last = keys[0], keys[-1]

    def points(self) -> Iterable[Key]:
        return self._keys

    def candidates(self, start: int, end: int) -> Iterator[Candidate]:
        images = [o for _, _, o in self._keys[start:end]]
        numbers = [o for o in images if o != NAN_IMAGE] or images
        for o in (min(numbers), max(numbers)):
            yield Candidate(o, self, start, end)

    def find(self, o: int, start: int, end: int) -> Key:
        return next(key for key in self._keys[start:end] if key[2] == o)


class ReadChunk:
    """A chunk that has been read, and what has been decoded of it."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self._ends = block_ends(chunk.points, block_size(chunk.summary))
        self._blocks: dict[int, Doubles] = {}
        self._asked = 0

    def doubles(self, block: int) -> Doubles:
        if block not in self._blocks:
            self._blocks[block] = doubles_of(self.chunk.doubles, block, len(self._ends))
        return self._blocks[block]

    def step_and_time(self, place: int) -> tuple[int, int]:
        self._asked += 1
        if self._asked > ONE_BY_ONE:
            steps, stamps = self._integers
            return steps[place], stamps[place]
        chunk = self.chunk
        return (
            integer_at(chunk.steps, chunk.points, place),
            integer_at(chunk.stamps, chunk.points, place),
        )

    @cached_property
    def _integers(self) -> tuple[Integers, Integers]:
        chunk = self.chunk
        return integers_of(chunk.steps, chunk.points), integers_of(chunk.stamps, chunk.points)


class Reader:
    """Reads whole chunks, each together with those that will be wanted next."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._expected: Sequence[int] = ()
        self._places: Mapping[int, int] = {}
        self._read: dict[int, ReadChunk] = {}

    def expect(self, numbers: Iterable[int]) -> None:
        """Say which chunks will be read, in order."""
        self._expected = list(dict.fromkeys(numbers))
        self._places = {number: place for place, number in enumerate(self._expected)}

    def __call__(self, number: int) -> ReadChunk:
        if number not in self._read:
            place = self._places.get(number)
            wanted = [number] if place is None else self._expected[place : place + series.PORTION]
            for old in [*self._read][: -series.PORTION]:
                del self._read[old]
            for each, chunk in series.wholes(self._session, wanted):
                self._read[each] = ReadChunk(chunk)
        return self._read[number]


class Sealed(Piece):
    """A chunk, of which only the summary has been read."""

    def __init__(self, number: int, outline: Chunk, reader: Reader) -> None:
        self.number = number
        self.count, self.first, self.last = outline.points, outline.first, outline.last
        self._summary = summarised(outline.summary)
        self._size = block_size(outline.summary)
        self._ends = block_ends(self.count, self._size)
        self._reader = reader

    def cut(self, start: int, end: int) -> bool:
        return start % self._size > 0 or (end % self._size > 0 and end < self.count)

    def points(self) -> Iterable[Key]:
        return decoded(self._whole().chunk).points()

    def _whole(self) -> ReadChunk:
        return self._reader(self.number)

    def candidates(self, start: int, end: int) -> Iterator[Candidate]:
        for block in range(start // self._size, (end - 1) // self._size + 1):
            begin, stop = block * self._size, self._ends[block]
            if start <= begin and stop <= end:
                for known in self._summary[block]:
                    yield Candidate(known[2], self, begin, stop, known)
            else:
                yield from self._cut(max(start, begin), min(end, stop))

    def _cut(self, start: int, end: int) -> Iterator[Candidate]:
        values = self._doubles(start, end)
        numbers: Sequence[float] = values
        if isnan(sum(values)):  # there is a NaN, or both infinities
            numbers = [value for value in values if not isnan(value)] or values[:1]
        for value in (min(numbers), max(numbers)):
            yield Candidate(order_image(value), self, start, end)

    def _doubles(self, start: int, end: int) -> Doubles:
        """Return the values of a part of one block."""
        block = start // self._size
        begin = block * self._size
        return self._whole().doubles(block)[start - begin : end - begin]

    def find(self, o: int, start: int, end: int) -> Key:
        place = start
        if o != NAN_IMAGE:
            place += self._doubles(start, end).index(from_order_image(o))
        return *self._whole().step_and_time(place), o


def _buckets(
    pieces: Sequence[Piece], count: int, buckets: int
) -> Iterator[list[tuple[Piece, int, int]]]:
    """Yield the parts of pieces that are in each bucket: piece, start and end."""
    starts = [0, *accumulate(piece.count for piece in pieces)]
    edges = [number * count // buckets for number in range(buckets + 1)] if buckets else []
    for begin, stop in pairwise(edges):
        places = range(bisect_right(starts, begin) - 1, bisect_left(starts, stop))
        yield [
            (
                pieces[place],
                max(begin - starts[place], 0),
                min(stop - starts[place], pieces[place].count),
            )
            for place in places
        ]


def _pieces(
    session: Session, reader: Reader, found: Series, first_step: int, last_step: int
) -> Iterator[Piece]:
    """Yield the points of some steps, both included, in order."""
    loose = _loose(session, found, first_step, last_step)
    start = 0
    for number, outline in series.outlines(session, found, first_step, last_step):
        begin = bisect_left(loose, outline.first, start)
        end = bisect_right(loose, outline.last, begin)
        yield from _opened(loose[start:begin])
        if begin == end and first_step <= outline.first_step and outline.last_step <= last_step:
            yield Sealed(number, outline, reader)
        else:
            inside = series.merged(reader(number).chunk, loose[begin:end]).points()
            yield from _opened([key for key in inside if first_step <= key[0] <= last_step])
        start = end
    yield from _opened(loose[start:])


def _opened(keys: Sequence[Key]) -> Iterator[Open]:
    if keys:
        yield Open(keys)


def _loose(session: Session, found: Series, first_step: int, last_step: int) -> list[Key]:
    keys: list[Key] = []
    after = (first_step - 1, GREATEST, GREATEST) if first_step > -(2**63) else None
    while True:
        portion = series.loose_after(session, found, after, LOOSE)
        inside = bisect_right(portion, last_step, key=lambda key: key[0])
        keys += portion[:inside]
        if inside < LOOSE:
            return keys
        after = portion[-1]
