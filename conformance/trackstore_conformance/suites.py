"""What the suites share: a harness, the bench of each test, and what a test is not asked."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registry import (
    open_artifact_store,
    open_backend_store,
    open_logged_model_store,
    open_registry_store,
)
from trackstore.stores import ArtifactStore, BackendStore
from trackstore_conformance.bench import ArtifactBench, BackendBench, Bench
from trackstore_conformance.claims import replaces
from trackstore_conformance.effort import Settings, settings_of
from trackstore_conformance.harness import Harness, Opener
from trackstore_conformance.model_benches import LoggedModelBench, RegistryBench
from trackstore_conformance.rules import Check, Suite, check_of, check_whole
from trackstore_conformance.skips import not_applicable, not_exercised
from trackstore_conformance.spec import Contract

BENCH = pytest.StashKey[Bench[Any]]()
"""The bench of a test, once it has one."""


BENCHES: Mapping[Contract, tuple[type[Bench[Any]], Opener[Any]]] = MappingProxyType(
    {
        "backend": (BackendBench, open_backend_store),
        "artifact": (ArtifactBench, open_artifact_store),
        "registry": (RegistryBench, open_registry_store),
        "logged-models": (LoggedModelBench, open_logged_model_store),
    }
)
"""What the tests of a contract have in hand, and how the URL of a store is opened."""


class ContractSuite(Suite):
    """What every part of a suite shares."""

    __test__ = False
    contract: ClassVar[Contract]

    harness: ClassVar[Harness[Any] | str]
    """Where the stores are; a text is a URL that `trackstore.registry` opens."""

    @pytest.fixture
    def bench(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench[Any]]:
        bench = self.make_bench(tmp_path, settings_of(request.config))
        with prepared(bench, self, request):
            yield bench

    def make_bench(self, folder: Path, settings: Settings) -> Bench[Any]:
        kind, opener = BENCHES[self.contract]
        harness = self.harness
        if isinstance(harness, str):
            harness = Harness(harness, opener)
        return kind(harness, folder, settings)


class BackendSuite(ContractSuite):
    """A part of the backend suite; `BackendStoreTests` is what to subclass."""

    __test__ = False
    contract: ClassVar[Contract] = "backend"
    harness: ClassVar[Harness[BackendStore] | str]


class ArtifactSuite(ContractSuite):
    """A part of the artifact suite; `ArtifactStoreTests` is what to subclass."""

    __test__ = False
    contract: ClassVar[Contract] = "artifact"
    harness: ClassVar[Harness[ArtifactStore] | str]


class RegistrySuite(ContractSuite):
    """A part of the registry suite; `RegistryStoreTests` is what to subclass."""

    __test__ = False
    contract: ClassVar[Contract] = "registry"
    harness: ClassVar[Harness[RegistryStore] | str]


class LoggedModelSuite(ContractSuite):
    """A part of the suite of logged models; `LoggedModelStoreTests` is what to subclass."""

    __test__ = False
    contract: ClassVar[Contract] = "logged-models"
    harness: ClassVar[Harness[LoggedModelStore] | str]


@contextmanager
def prepared(bench: Bench[Any], suite: Suite, request: pytest.FixtureRequest) -> Generator[None]:
    """Let a test have the bench, and leave nothing behind."""
    try:
        check_whole(type(suite))
        bench.info  # noqa: B018 - so that it is known when the store is closed
        request.node.stash[BENCH] = bench
        skip_what_cannot_be_asked(bench, check_of(request.function))
        yield
    finally:
        bench.clear()


def skip_what_cannot_be_asked(bench: Bench[Any], check: Check | None) -> None:
    """End the test, with the reason, if the store cannot be asked what it checks."""
    needs = check.needs if check else ()
    if "processes" in needs and bench.store.ephemeral:
        not_applicable("ephemeral")
    if "overwrite" in needs and not replaces(bench.store):
        not_applicable("it does not claim artifact_overwrite")
    if "untouched" in needs and not bench.place.untouched:
        not_exercised("it takes a store of its own: put {folder} or {name} into the URL")
