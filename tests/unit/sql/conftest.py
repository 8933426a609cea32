from collections.abc import Iterator
from pathlib import Path

import pytest

from trackstore_backends.sqlite import SQLiteBackendStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def store(url: str) -> Iterator[SQLiteBackendStore]:
    with SQLiteBackendStore.from_url(url) as store:
        yield store
