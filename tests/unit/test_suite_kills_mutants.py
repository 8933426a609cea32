"""A suite that finds nothing proves nothing: each broken store must fail the test named for it."""

from contextlib import closing
from pathlib import Path

import pytest

from trackstore.errors import TrackstoreError
from trackstore.stores import BackendStore
from trackstore_conformance import BackendStoreTests
from trackstore_conformance.harness import Opener
from trackstore_conformance.mutants import MUTANTS, Mutant


class OfMutant(BackendStoreTests):
    """The suite, on a mutant of the memory store."""

    __test__ = False

    def __init__(self, mutant: type[Mutant]) -> None:
        self.mutant = mutant

    def url(self, folder: Path) -> str:
        return f"memory://{folder}"

    def opener(self) -> Opener[BackendStore]:
        return self.mutant.from_url


def run(name: str, mutant: type[Mutant], folder: Path) -> None:
    suite = OfMutant(mutant)
    with closing(suite.make_bench(folder)) as bench:
        getattr(suite, name)(bench)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_mutant_is_killed_by_its_test(mutant: type[Mutant], tmp_path: Path) -> None:
    """The test that is named for it fails, by an assertion or by what the store raises."""
    with pytest.raises((AssertionError, LookupError, TrackstoreError)):
        run(mutant.killed_by, mutant, tmp_path)


@pytest.mark.parametrize("name", sorted({mutant.killed_by for mutant in MUTANTS}))
def test_a_wrapper_that_breaks_nothing_passes(name: str, tmp_path: Path) -> None:
    """What kills a mutant is its fault, and not that it wraps a store."""
    run(name, Mutant, tmp_path)
