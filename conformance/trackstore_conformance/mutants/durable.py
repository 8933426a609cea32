"""Mutants that only a store on disk can be: what other processes see, and what a kill leaves."""

from trackstore.model import Applied, Batch, Run
from trackstore.stores import BackendStore
from trackstore_conformance.mutants.wrapped import Mutant
from trackstore_conformance.mutants.writing import CheckThenAct, TagsInASecondTransaction


class AcknowledgedEarly(Mutant):
    """Keeps a batch in memory until the next call."""

    killed_by = "test_what_was_acknowledged_survives_a_kill"

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.waiting: list[tuple[str, Batch]] = []

    def log(self, run_id: str, batch: Batch) -> Applied:
        self.flush()
        self.waiting.append((run_id, batch))
        return Applied()

    def get_run(self, run_id: str) -> Run:
        self.flush()
        return super().get_run(run_id)

    def flush(self) -> None:
        while self.waiting:
            super().log(*self.waiting.pop())


class CheckThenActInProcesses(CheckThenAct):
    killed_by = "test_processes_that_claim_a_name"


class TagsLaterInProcesses(TagsInASecondTransaction):
    killed_by = "test_processes_that_read_while_batches_are_written"


DURABLE_MUTANTS: tuple[type[Mutant], ...] = (
    AcknowledgedEarly,
    CheckThenActInProcesses,
    TagsLaterInProcesses,
)
