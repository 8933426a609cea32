"""The suite of a backend store: subclass `BackendStoreTests` and say where a store is.

class TestMine(BackendStoreTests):
    def url(self, folder: Path) -> str:
        return f"mine:///{folder}/store"
"""

from trackstore_conformance.backend.batches import BatchTests
from trackstore_conformance.backend.experiments import ExperimentTests
from trackstore_conformance.backend.handles import HandleTests
from trackstore_conformance.backend.metrics import MetricTests
from trackstore_conformance.backend.params import ParamTests
from trackstore_conformance.backend.races import RaceTests
from trackstore_conformance.backend.runs import RunTests
from trackstore_conformance.backend.search import SearchTests
from trackstore_conformance.backend.tags import TagTests
from trackstore_conformance.effort import run_machine
from trackstore_conformance.harness import BackendBench
from trackstore_conformance.machine import machine_for
from trackstore_conformance.rules import rule


class BackendStoreTests(
    ExperimentTests,
    RunTests,
    ParamTests,
    MetricTests,
    TagTests,
    BatchTests,
    SearchTests,
    HandleTests,
    RaceTests,
):
    """Every rule of `docs/contract.md` for backend stores."""

    __test__ = False

    @rule("B-SES-01", "B-BAT-01", "B-MET-01", "B-MET-03", "B-SRC-01", "B-PAG-02")
    def test_any_sequence_of_calls_comes_out_as_in_the_model(self, bench: BackendBench) -> None:
        """Generated calls through two handles, with reopenings and writes between pages."""
        run_machine(machine_for(bench))
