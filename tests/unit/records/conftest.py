from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from record_steps import HOME

from trackstore.model import Run
from trackstore_backends.records import FileBackendStore, records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def journal(folder: Path) -> Path:
    return folder / ".trackstore" / "records"


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[[], FileBackendStore]]:
    """Open one more handle on the store, as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(FileBackendStore.from_url(folder.as_uri()))


@pytest.fixture
def store(opened: Callable[[], FileBackendStore]) -> FileBackendStore:
    """A store with a run."""
    store = opened()
    store.create_experiment(HOME)
    store.create_run(Run("r", "1", 7, "uri"))
    return store


@pytest.fixture
def always_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the index after each write, and rewrite the journal when half of it is purged."""
    monkeypatch.setattr(records, "MUCH", 1)
    monkeypatch.setattr(records, "next_index", lambda end, _: end)
