"""The server's application on memory stores."""

from collections.abc import Iterator

import pytest

import trackstore
from provision.api import Api


@pytest.fixture
def tracker() -> Iterator[trackstore.Tracker]:
    with trackstore.open("memory:", "memory:") as tracker:
        yield tracker


@pytest.fixture
def api(tracker: trackstore.Tracker) -> Api:
    return Api(tracker)
