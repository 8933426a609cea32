"""Stores that are broken on purpose, each in one way: the suite must find every one.

A mutant wraps a store that is right, whichever its URL names, and says by which test of the
suite it must be killed.
"""

from trackstore_conformance.mutants.artifacts import ARTIFACT_MUTANTS, ArtifactMutant
from trackstore_conformance.mutants.durable import DURABLE_MUTANTS
from trackstore_conformance.mutants.reading import READING
from trackstore_conformance.mutants.wrapped import Mutant
from trackstore_conformance.mutants.writing import WRITING

MUTANTS: tuple[type[Mutant], ...] = (*WRITING, *READING)
"""Of any backend store; `DURABLE_MUTANTS` need one that is not ephemeral."""

__all__ = ["ARTIFACT_MUTANTS", "DURABLE_MUTANTS", "MUTANTS", "ArtifactMutant", "Mutant"]
