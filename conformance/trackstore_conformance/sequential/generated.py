"""What the state machines of both contracts share: handles, reopening, and how an example ends."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from trackstore_conformance.bench import Bench
from trackstore_conformance.effort import run_machine
from trackstore_conformance.sequential.program import OPEN, REOPEN, Step
from trackstore_conformance.sequential.trial import Trial, run_trials


class TrialMachine(RuleBasedStateMachine):
    """Generates the steps of one trial; `run_generated` gives it a bench."""

    bench: ClassVar[Any]
    failed: ClassVar[list[Trial[Any]]]
    """The trials that failed, the last one last."""

    def __init__(self) -> None:
        super().__init__()
        self.bench.evidence.examples += 1
        self.trial = self.new_trial()

    def new_trial(self) -> Trial[Any]:
        raise NotImplementedError

    def read_all(self) -> None:
        """Compare all that the store has with all that the model has."""
        raise NotImplementedError

    def remove_all(self) -> None:
        """Leave the store as it was before, and check that it is."""
        raise NotImplementedError

    @rule(handle=st.sampled_from(["store", "second", "late"]))
    def take_a_handle(self, handle: str) -> None:
        self.trial.handle = handle

    @rule()
    def take_a_handle_that_is_opened_now(self) -> None:
        self.trial.take(Step(OPEN, handle="late"))
        self.trial.handle = "late"

    @precondition(lambda self: not self.bench.store.ephemeral)
    @rule()
    def reopen(self) -> None:
        """What is all right before must be so after."""
        self.read_all()
        self.trial.take(Step(REOPEN))
        self.read_all()

    def teardown(self) -> None:
        """Leave an empty store to the next example, or if this one failed, another store."""
        try:
            if self.trial.agreed:
                self.read_all()
                self.remove_all()
        finally:
            if not self.trial.agreed:
                self.failed.append(self.trial)
                self.bench.move()


def run_generated(machine: type[TrialMachine], bench: Bench[Any]) -> None:
    """Run a state machine; a violation has the smallest program that shows it."""
    failed: list[Trial[Any]] = []
    ours = type(machine.__name__, (machine,), {"bench": bench, "failed": failed})
    run_trials(lambda: run_machine(ours, bench.profile, bench.seed), failed)
