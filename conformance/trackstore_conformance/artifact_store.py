"""The suite of an artifact store: subclass `ArtifactStoreTests` and say where a store is.

class TestMine(ArtifactStoreTests):
    harness = "mine:///{folder}"
"""

from trackstore_conformance.artifact.claims import ArtifactClaimTests
from trackstore_conformance.artifact.concurrency import ArtifactConcurrencyTests
from trackstore_conformance.artifact.crashes import ArtifactCrashTests
from trackstore_conformance.artifact.errors import ArtifactErrorTests
from trackstore_conformance.artifact.faults import ArtifactFaultTests
from trackstore_conformance.artifact.files import FileTests
from trackstore_conformance.artifact.handles import ArtifactHandleTests
from trackstore_conformance.artifact.listings import ListingTests
from trackstore_conformance.artifact.machine import ArtifactMachine
from trackstore_conformance.artifact.signing import SigningTests
from trackstore_conformance.artifact.sweeping import SweepTests
from trackstore_conformance.artifact.uploads import UploadTests
from trackstore_conformance.artifact.versions import VersionTests
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.generated import run_generated


class ArtifactStoreTests(
    FileTests,
    ListingTests,
    VersionTests,
    SigningTests,
    UploadTests,
    SweepTests,
    ArtifactClaimTests,
    ArtifactHandleTests,
    ArtifactErrorTests,
    ArtifactConcurrencyTests,
    ArtifactCrashTests,
    ArtifactFaultTests,
):
    """Every rule of `docs/contract.md` for artifact stores."""

    __test__ = False

    @rule("A-PUT-01", "A-PUT-05", "A-GET-01", "A-LST-01", "A-LST-03", "A-DEL-01")
    def test_any_sequence_of_calls_comes_out_as_in_a_dict(self, bench: ArtifactBench) -> None:
        """Generated calls through three handles, with reopenings and writes between pages."""
        run_generated(ArtifactMachine, bench)
