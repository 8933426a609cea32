"""The suite of a backend store: subclass `BackendStoreTests` and say where a store is.

class TestMine(BackendStoreTests):
    harness = "mine:///{folder}/store"
"""

from trackstore_conformance.backend.batches import BatchTests
from trackstore_conformance.backend.claims import ClaimTests
from trackstore_conformance.backend.concurrency import ConcurrencyTests
from trackstore_conformance.backend.crashes import CrashTests
from trackstore_conformance.backend.experiments import ExperimentTests
from trackstore_conformance.backend.faults import FaultTests
from trackstore_conformance.backend.handles import HandleTests
from trackstore_conformance.backend.histories import HistoryTests
from trackstore_conformance.backend.metrics import MetricTests
from trackstore_conformance.backend.params import ParamTests
from trackstore_conformance.backend.races import FirstStartTests
from trackstore_conformance.backend.runs import RunTests
from trackstore_conformance.backend.search import SearchTests
from trackstore_conformance.backend.tags import TagTests
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.generated import run_generated
from trackstore_conformance.sequential.machine import BackendMachine


class BackendStoreTests(
    ExperimentTests,
    RunTests,
    ParamTests,
    MetricTests,
    HistoryTests,
    TagTests,
    BatchTests,
    SearchTests,
    ClaimTests,
    HandleTests,
    FirstStartTests,
    ConcurrencyTests,
    CrashTests,
    FaultTests,
):
    """Every rule of `docs/contract.md` for backend stores."""

    __test__ = False

    @rule("B-SES-01", "B-BAT-01", "B-MET-01", "B-MET-03", "B-SRC-01", "B-PAG-02")
    def test_any_sequence_of_calls_comes_out_as_in_the_model(self, bench: BackendBench) -> None:
        """Generated calls through three handles, with reopenings and writes between pages."""
        run_generated(BackendMachine, bench)
