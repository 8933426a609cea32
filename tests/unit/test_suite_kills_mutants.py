"""A suite that finds nothing proves nothing: each broken store must fail the test named for it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase

from trackstore.errors import TrackstoreError
from trackstore_conformance import ArtifactStoreTests, BackendStoreTests, effort
from trackstore_conformance.mutants import (
    ARTIFACT_MUTANTS,
    DURABLE_MUTANTS,
    MUTANTS,
    ArtifactMutant,
    Mutant,
)

FOUND = (AssertionError, LookupError, TrackstoreError)
"""How a test fails: by what it asserts, or by what the store raises in the midst of it."""
ALL = (*MUTANTS, *DURABLE_MUTANTS, *ARTIFACT_MUTANTS)


class OfMutant(BackendStoreTests):
    """The suite, on a mutant of a store in memory or on disk."""

    __test__ = False

    def __init__(self, mutant: type[Mutant]) -> None:
        self.mutant = mutant

    def url(self, folder: Path) -> str:
        on_disk = self.mutant in DURABLE_MUTANTS
        return f"sqlite:///{folder}/store.db" if on_disk else f"memory://{folder}"

    def opener(self) -> Any:
        return self.mutant.from_url


class OfArtifactMutant(ArtifactStoreTests):
    __test__ = False

    def __init__(self, mutant: type[ArtifactMutant]) -> None:
        self.mutant = mutant

    def url(self, folder: Path) -> str:
        return f"memory://{folder}"

    def opener(self) -> Any:
        return self.mutant.from_url


def run(name: str, mutant: Any, folder: Path) -> None:
    suite = OfMutant(mutant) if issubclass(mutant, Mutant) else OfArtifactMutant(mutant)
    with closing(suite.make_bench(folder)) as bench:
        getattr(suite, name)(bench)


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.__name__)
def test_the_mutant_is_killed_by_its_test(mutant: Any, tmp_path: Path) -> None:
    """The test that is named for it fails."""
    with pytest.raises(FOUND):
        run(mutant.killed_by, mutant, tmp_path)


@pytest.mark.parametrize("name", sorted({mutant.killed_by for mutant in MUTANTS}))
def test_a_wrapper_that_breaks_nothing_passes(name: str, tmp_path: Path) -> None:
    """What kills a mutant is its fault, and not that it wraps a store."""
    run(name, Mutant, tmp_path)


@pytest.mark.parametrize("name", sorted({mutant.killed_by for mutant in ARTIFACT_MUTANTS}))
def test_an_artifact_wrapper_that_breaks_nothing_passes(name: str, tmp_path: Path) -> None:
    """What kills a mutant is its fault, and not that it wraps a store."""
    run(name, ArtifactMutant, tmp_path)


MODEL = "test_any_sequence_of_calls_comes_out_as_in_the_model"
SEARCH = "test_a_pushed_down_search_is_the_scanned_search"
FOUND_BY_GENERATION = {
    "NanAsZero": MODEL,
    "StepOf32Bits": MODEL,
    "OnePointAStep": MODEL,
    "ItemByItem": MODEL,
    "LatestIsTheLastWritten": MODEL,
    "TiesBackwards": MODEL,
    "ParamsOverwritten": MODEL,
    "LikeFolds": SEARCH,
    "EmptyIsMissing": SEARCH,
    "MissingFirstWhenDescending": SEARCH,
}


@pytest.mark.parametrize(("name", "test"), FOUND_BY_GENERATION.items())
def test_generated_calls_find_it_too(
    name: str, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine and the generated searches find faults for which they hold no example."""
    monkeypatch.setattr(effort, "PHASES", (Phase.generate,))
    monkeypatch.setenv(effort.SEED_VARIABLE, "0")
    mutant = next(each for each in MUTANTS if each.__name__ == name)
    with pytest.raises(FOUND):
        run(test, mutant, tmp_path)
