"""A file store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trackstore_backends.file import FileArtifactStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def store(root: Path) -> Iterator[FileArtifactStore]:
    with FileArtifactStore.from_url(root.as_uri()) as store:
        yield store
