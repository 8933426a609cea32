"""Points come out of a chunk as they went in."""

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trackstore.errors import BackendError
from trackstore.model import NAN_IMAGE, from_order_image, order_image
from trackstore_backends.sql.chunks import (
    Chunk,
    Key,
    block_ends,
    block_size,
    columns_of,
    decoded,
    doubles_of,
    encoded,
    integer_at,
    summarised,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
near = st.integers(2**32 - 300, 2**32 + 300) | st.integers(-300, 300)
numbers = INT64 | near
images = st.floats(width=64).map(order_image) | st.just(NAN_IMAGE)
keys = st.lists(st.tuples(numbers, numbers, images), min_size=1, unique=True).map(sorted)
regular = st.builds(
    lambda first, delta, count: [first + delta * place for place in range(count)],
    st.integers(-(2**40), 2**40),
    st.integers(0, 2**33),
    st.integers(1, 50),
)


def is_same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


@given(points=keys, block=st.integers(1, 7))
@example(
    points=[(-(2**63), 2**63 - 1, NAN_IMAGE), (2**63 - 1, -(2**63), order_image(-0.0))], block=1
)
def test_any_points_come_back(points: list[Key], block: int) -> None:
    """Every int64 and every double, NaN and the infinities included, in any combination."""
    chunk = encoded(points, block)
    columns = decoded(chunk)
    assert list(columns.points()) == points
    assert (chunk.first, chunk.last, chunk.points) == (points[0], points[-1], len(points))
    doubles = [from_order_image(o) for _, _, o in points]
    assert all(map(is_same, columns.values, doubles))
    assert [column.typecode for column in columns] == ["q", "q", "d"]
    for place, (step, stamp, _) in enumerate(points):
        assert integer_at(chunk.steps, len(points), place) == step
        assert integer_at(chunk.stamps, len(points), place) == stamp


@given(steps=regular, stamps=st.lists(st.integers(0, 3), min_size=50, max_size=50))
def test_regular_points_come_back(steps: list[int], stamps: list[int]) -> None:
    """Steps with even distances, and times that go back and forth a little."""
    points = [
        (step, 1_700_000_000_000 + 10 * place + stamps[place], 0)
        for place, step in enumerate(steps)
    ]
    points = sorted(set(points))
    assert list(decoded(encoded(points, 16)).points()) == points


def test_regular_steps_take_no_room() -> None:
    """A thousand steps are kept as where they begin and how far they are apart."""
    chunk = encoded([(step, 0, 0) for step in range(0, 10_000, 10)], 1_024)
    assert len(chunk.steps) == len(chunk.stamps) < 25


@given(points=keys, block=st.integers(1, 7))
def test_the_summary_has_the_extremes_of_each_block(points: list[Key], block: int) -> None:
    """The least and the greatest number, and of equal ones the earliest; NaN only without one."""
    chunk = encoded(points, block)
    ends = block_ends(len(points), block_size(chunk.summary))
    found = summarised(chunk.summary)
    assert len(found) == len(ends)
    for (start, end), each in zip(pairwise([0, *ends]), found, strict=True):
        part = points[start:end]
        there = [point for point in part if point[2] != NAN_IMAGE] or part[:1]
        assert each.least == min(there, key=lambda point: point[2])
        assert each.greatest == max(there, key=lambda point: point[2])


@given(points=keys, block=st.integers(1, 7))
def test_a_block_is_read_alone(points: list[Key], block: int) -> None:
    """Its doubles are those at its places of the whole column."""
    chunk = encoded(points, block)
    ends = block_ends(len(points), block)
    blocks = [doubles_of(chunk.doubles, place, len(ends)) for place in range(len(ends))]
    joined = [value for each in blocks for value in each]
    assert array("d", joined).tobytes() == columns_of(points).values.tobytes()


@given(data=st.data(), points=keys)
def test_a_damaged_chunk_is_never_decoded(data: st.DataObject, points: list[Key]) -> None:
    """Whatever bit is changed, or byte cut off, in whatever column, is found."""
    chunk = encoded(points, 3)
    name = data.draw(st.sampled_from(Chunk._fields))
    old = getattr(chunk, name)
    if isinstance(old, bytes):
        place = data.draw(st.integers(0, len(old) - 1))
        changed = old[:place] + bytes([old[place] ^ 2 ** data.draw(st.integers(0, 7))])
        new = changed + old[place + 1 :] if data.draw(st.booleans()) else old[:place]
    else:
        new = old ^ 1
    with pytest.raises(BackendError, match="damaged"):
        decoded(chunk._replace(**{name: new}))
    if name == "summary":
        with pytest.raises(BackendError, match="damaged"):
            summarised(new)
