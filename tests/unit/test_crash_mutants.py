"""The small stores of which mutants on disk are made are right themselves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from trackstore.errors import AlreadyExists, Unsupported
from trackstore.model import ArtifactInfo
from trackstore.stores import Guarantees
from trackstore_conformance import selftest
from trackstore_conformance.artifact.crashes import ArtifactCrashTests
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.mutants import MUTANTS
from trackstore_conformance.mutants.folder import Folder
from trackstore_conformance.mutants.journal import Journal


class WriteOnce(Folder):
    """Neither replaces a file nor creates only, and says so."""

    guarantees: ClassVar = Guarantees(
        durability="power-loss", artifact_overwrite="refused", create_only="none"
    )

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if if_absent:
            raise Unsupported("this store cannot create only")
        if (self.root / path).is_file():
            raise AlreadyExists("a file is not replaced", field="path")
        return super().put(path, chunks)


@pytest.mark.parametrize("store", [Journal, Folder], ids=lambda store: store.__name__)
def test_what_the_mutants_on_disk_are_made_of_is_right(store: Any, tmp_path: Path) -> None:
    """What kills a mutant is its fault, and not the small store that it is made of."""
    suite = selftest.suite_of(store)
    rules = {mutant.killed_by for mutant in MUTANTS if issubclass(mutant, store)}
    tests = selftest.tests_of(suite, sorted(rules))
    assert len(tests) >= 6
    for name, check in tests:
        assert selftest.run_test(suite, name, check, Settings(PROFILES["quick"], seed=1)) is None


@pytest.mark.parametrize("name", sorted(ArtifactCrashTests.tests))
def test_a_store_is_not_cut_in_what_it_does_not_claim(name: str, tmp_path: Path) -> None:
    """Its other work is cut, and it is blamed for nothing."""
    suite = selftest.suite_of(WriteOnce)
    try:
        selftest.run_in(tmp_path, suite, name, suite.tests[name].__check__, Settings())
    except pytest.skip.Exception as skipped:
        pytest.fail(str(skipped))
