"""Calls on a backend store and on the model."""

from typing import Any

from trackstore.search import search_by_scan, search_runs
from trackstore.stores import BackendStore
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.sequential.blame import Broken, rule_of
from trackstore_conformance.sequential.differences import Difference
from trackstore_conformance.sequential.model import Model
from trackstore_conformance.sequential.program import Step
from trackstore_conformance.sequential.trial import Trial

WRITES = frozenset(
    f"{verb}_{kind}" for verb in ("create", "update", "purge") for kind in ("experiment", "run")
) | {"log"}
PAGES = frozenset({"scan_experiments", "scan_runs", "metric_history", "search_runs"})


class BackendTrial(Trial[BackendStore]):
    writes = WRITES

    def __init__(self, bench: BackendBench) -> None:
        super().__init__(bench)
        self.bench: BackendBench = bench
        self.model = Model()

    def expected(self, step: Step) -> Outcome:
        return on_model(self.model, step)

    def call(self, store: BackendStore, step: Step) -> Any:
        if step.call == "search_runs":
            return search_runs(store, *step.args)
        return getattr(store, step.call)(*step.args)

    def rule_of(self, step: Step, found: Outcome, wrong: Difference | None) -> str:
        expected = self.taken[-1][1]
        if self.is_right_elsewhere(step):
            return "B-SRC-05" if step.call == "search_runs" else "B-SES-01"
        if self.was_just_reopened() and step.call not in WRITES:
            return "B-SES-01"
        write, written = self.last_write() or (None, None)
        return rule_of(
            Broken(step, expected, found, wrong, write, written, self.model_before(), self.model)
        )

    def was_just_reopened(self) -> bool:
        """Tell if all was right before the handles were opened again, and nothing written since."""
        for step, _ in reversed(self.taken):
            if step.call == "reopen":
                return True
            if step.call in WRITES:
                return False
        return False

    def model_before(self) -> Model:
        """Return the model as it was before the last write."""
        places = [n for n, (step, _) in enumerate(self.taken) if step.call in WRITES]
        model = Model()
        for place in places[:-1]:
            on_model(model, self.taken[place][0])
        return model


class SearchTrial(BackendTrial):
    """Compares a search with what is found by reading all runs."""

    def expected(self, step: Step) -> Outcome:
        if step.call == "search_runs":
            return outcome(search_by_scan, self.bench.second, *step.args)
        return super().expected(step)


def on_model(model: Model, step: Step) -> Outcome:
    if step.call in PAGES:
        return outcome(model.page, step.args[-1], step.call, *step.args[:-1])
    return outcome(getattr(model, step.call), *step.args)
