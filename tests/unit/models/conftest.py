"""A front over stores in memory, with a clock that ticks once a call."""

from collections.abc import Iterator
from itertools import count

import pytest

from trackstore import Artifacts, ModelRegistry, Run, Tracker, open_backend_store


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    ticks = count(1)
    front = Tracker(open_backend_store("memory:"), Artifacts("memory:"), clock=lambda: next(ticks))
    with front:
        yield front


@pytest.fixture
def registry(tracker: Tracker) -> ModelRegistry:
    return tracker.registry


@pytest.fixture
def run(tracker: Tracker) -> Run:
    return tracker.create_run(tracker.create_experiment("e").id)
