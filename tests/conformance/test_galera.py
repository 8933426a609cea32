"""The suite on a cluster of three MariaDB servers, each handle on any of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from provision.daemon import Missing
from provision.galera import ClusterHarness, cluster
from trackstore_conformance import BackendStoreTests

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def _cluster() -> Iterator[None]:
    with ExitStack() as stack:
        try:
            nodes = stack.enter_context(cluster())
        except Missing as error:
            pytest.skip(str(error))
        TestGalera.harness = ClusterHarness(nodes)
        yield


class TestGalera(BackendStoreTests):
    """The harness is known once the cluster runs."""
