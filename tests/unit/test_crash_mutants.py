"""The small stores of which mutants on disk are made are right themselves."""

from pathlib import Path
from typing import Any

import pytest

from trackstore_conformance import selftest
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.mutants import MUTANTS
from trackstore_conformance.mutants.folder import Folder
from trackstore_conformance.mutants.journal import Journal


@pytest.mark.parametrize("store", [Journal, Folder], ids=lambda store: store.__name__)
def test_what_the_mutants_on_disk_are_made_of_is_right(store: Any, tmp_path: Path) -> None:
    """What kills a mutant is its fault, and not the small store that it is made of."""
    suite = selftest.suite_of(store)
    rules = {mutant.killed_by for mutant in MUTANTS if issubclass(mutant, store)}
    tests = selftest.tests_of(suite, sorted(rules))
    assert len(tests) >= 6
    for name, check in tests:
        assert selftest.run_test(suite, name, check, Settings(PROFILES["quick"], seed=1)) is None
