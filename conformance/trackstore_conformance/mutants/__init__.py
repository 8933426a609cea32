"""Stores that are broken on purpose, each in one way: the suite must find every one.

A mutant wraps a store that is right, whichever its URL names, and says which rule of the spec it
breaks.  `trackstore conformance selftest` judges the suite by them.
"""

from trackstore_conformance.mutants.artifacts import ARTIFACTS
from trackstore_conformance.mutants.concurrent import CONCURRENT
from trackstore_conformance.mutants.concurrent_files import CONCURRENT_ARTIFACTS
from trackstore_conformance.mutants.durable import DURABLE
from trackstore_conformance.mutants.files import FILES
from trackstore_conformance.mutants.folder import FOLDERS
from trackstore_conformance.mutants.handles import HANDLES
from trackstore_conformance.mutants.histories import HISTORIES
from trackstore_conformance.mutants.lifecycle import LIFECYCLE
from trackstore_conformance.mutants.logged import LOGGED
from trackstore_conformance.mutants.points import POINTS
from trackstore_conformance.mutants.reading import READING
from trackstore_conformance.mutants.registered import REGISTERED
from trackstore_conformance.mutants.searching import SEARCHING
from trackstore_conformance.mutants.signing import SIGNING
from trackstore_conformance.mutants.values import VALUES
from trackstore_conformance.mutants.versions import VERSIONS
from trackstore_conformance.mutants.wrapped import (
    ArtifactMutant,
    Broken,
    LoggedModelMutant,
    Mutant,
    RegistryMutant,
)
from trackstore_conformance.mutants.writing import WRITING

MUTANTS: tuple[type[Broken], ...] = (
    *WRITING,
    *POINTS,
    *HISTORIES,
    *VALUES,
    *LIFECYCLE,
    *READING,
    *SEARCHING,
    *HANDLES,
    *DURABLE,
    *CONCURRENT,
    *ARTIFACTS,
    *FILES,
    *FOLDERS,
    *CONCURRENT_ARTIFACTS,
    *VERSIONS,
    *SIGNING,
    *REGISTERED,
    *LOGGED,
)


def find_mutant(name: str) -> type[Broken]:
    """Return the mutant of this name, or raise `LookupError`."""
    for mutant in MUTANTS:
        if mutant.__name__.lower() == name.lower():
            return mutant
    raise LookupError(f"no mutant is called {name[:40]!r}")


__all__ = [
    "MUTANTS",
    "ArtifactMutant",
    "Broken",
    "LoggedModelMutant",
    "Mutant",
    "RegistryMutant",
    "find_mutant",
]
