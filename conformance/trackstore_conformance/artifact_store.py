"""The suite of an artifact store: subclass `ArtifactStoreTests` and say where a store is.

class TestMine(ArtifactStoreTests):
    def url(self, folder: Path) -> str:
        return f"mine:///{folder}"
"""

from trackstore_conformance.artifact.files import FileTests
from trackstore_conformance.artifact.listings import ListingTests
from trackstore_conformance.artifact.machine import machine_for
from trackstore_conformance.artifact.races import ArtifactRaceTests
from trackstore_conformance.effort import run_machine
from trackstore_conformance.harness import ArtifactBench
from trackstore_conformance.rules import rule


class ArtifactStoreTests(FileTests, ListingTests, ArtifactRaceTests):
    """Every rule of `docs/contract.md` for artifact stores."""

    __test__ = False

    @rule(
        *("A-PUT-01", "A-PUT-05", "A-GET-01", "A-LST-01", "A-LST-03", "A-DEL-01"),
        needs=["artifact_overwrite", "create_only"],
    )
    def test_any_sequence_of_calls_comes_out_as_in_a_dict(self, bench: ArtifactBench) -> None:
        """Generated calls through two handles, with reopenings and writes between pages."""
        run_machine(machine_for(bench))
