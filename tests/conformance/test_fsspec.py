"""The suite on file systems of fsspec."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from provision.daemon import Missing
from provision.sftp import SFTP
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore
from trackstore_conformance import ArtifactStoreTests
from trackstore_conformance.harness import NAME, Harness


class TestFsspecMemory(ArtifactStoreTests):
    harness = "fsspec+memory://{folder}"


class TestFsspecLocal(ArtifactStoreTests):
    harness = "fsspec+file://{folder}/store"


class Impatient(Harness[ArtifactStore]):
    """Calls give up soon where a fault is played."""

    def proxied(self, url: str, port: int) -> str:
        return f"{super().proxied(url, port)}&timeout=3"


@pytest.fixture(scope="class")
def _sftp() -> Iterator[None]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(SFTP())
        except Missing as error:
            pytest.skip(str(error))
        TestFsspecSFTP.harness = Impatient(server.url(NAME), open_artifact_store)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_sftp")
class TestFsspecSFTP(ArtifactStoreTests):
    """The harness is known once the server runs."""
