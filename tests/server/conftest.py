"""Real server processes."""

from collections.abc import Iterator

import pytest

from provision.server import RunningServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on SQLite that all tests of a session share: each makes its own experiment."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server
