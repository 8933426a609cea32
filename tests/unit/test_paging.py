"""Page tokens are opaque, bound to their query, and hostile until proven otherwise (B-SRC-06)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackstore import paging, search
from trackstore.errors import InvalidRequest
from trackstore.model import OrderBy, RunQuery

ORDER = (OrderBy("metric", "m"), OrderBy("param", "p", descending=True))
QUERY = RunQuery(("1",), order_by=ORDER)


def decode(token: str | None, query: RunQuery = QUERY) -> object:
    return paging.decode_token(token, query, lambda found: search.is_cursor(found, query.order_by))


@pytest.mark.parametrize(
    "cursor", [(0.5, "x", 7, "a"), (math.inf, None, -(2**63), ""), (None, "é\n", 2**63 - 1, "z")]
)
def test_a_token_brings_its_cursor_back(cursor: tuple[str | int | float | None, ...]) -> None:
    """What a page ended with is where the next one starts."""
    assert decode(paging.encode_token(cursor, QUERY)) == cursor


def test_nan_survives() -> None:
    """A page may end in the NaNs."""
    found = decode(paging.encode_token((math.nan, None, 1, "a"), QUERY))
    assert isinstance(found, tuple)
    assert math.isnan(found[0])


def test_no_token_is_the_first_page() -> None:
    """Absent and empty are the same to MLflow's client."""
    assert decode(None) is decode("") is None


@given(st.data())
def test_an_altered_token_is_refused(data: st.DataObject) -> None:
    """One changed, missing or added character is enough."""
    token = paging.encode_token((0.5, "x", 7, "a"), QUERY)
    place = data.draw(st.integers(0, len(token) - 1))
    mark = data.draw(st.sampled_from("ABCxyz019-_=!é "))
    for altered in (token[:place] + mark + token[place + 1 :], token[:place], token + mark):
        if altered not in {token, ""}:
            with pytest.raises(InvalidRequest, match="page_token"):
                decode(altered)


@pytest.mark.parametrize(
    "cursor",
    [
        (),
        (0.5, "x", 7),
        (0.5, "x", 7, "a", 1),
        ("0.5", "x", 7, "a"),
        (0.5, 1, 7, "a"),
        (0.5, "x", None, "a"),
        (0.5, "x", "7", "a"),
        (True, "x", 7, "a"),
        (0.5, "x", 2**63, "a"),
        (0.5, "nul\0", 7, "a"),
    ],
)
def test_a_forged_cursor_is_refused(cursor: tuple[str | int | float | None, ...]) -> None:
    """A right checksum grants nothing: every field must be what this query's pages end with."""
    with pytest.raises(InvalidRequest, match="page_token"):
        decode(paging.encode_token(cursor, QUERY))


def test_another_querys_token_is_refused() -> None:
    """A token leads on in its own query only."""
    token = paging.encode_token((0.5, "x", 7, "a"), QUERY)
    with pytest.raises(InvalidRequest, match="another query"):
        decode(token, RunQuery(("2",), order_by=ORDER))
