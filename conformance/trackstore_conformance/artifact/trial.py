"""Calls on an artifact store and on the model, and which rule is broken if they disagree."""

from typing import Any
from unicodedata import normalize

from trackstore.stores import ArtifactStore
from trackstore_conformance.artifact.model import FileModel
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.sequential.differences import Difference
from trackstore_conformance.sequential.program import Step
from trackstore_conformance.sequential.trial import Trial


class ArtifactTrial(Trial[ArtifactStore]):
    """In its steps, "read" is `get`, with all chunks joined."""

    writes = frozenset({"put", "delete"})

    def __init__(self, bench: ArtifactBench) -> None:
        super().__init__(bench)
        self.model = FileModel(bench.store.guarantees)

    def expected(self, step: Step) -> Outcome:
        return outcome(getattr(self.model, step.call), *step.args, **step.options)

    def call(self, store: ArtifactStore, step: Step) -> Any:
        if step.call == "read":
            return b"".join(store.get(*step.args))
        if step.call == "put":
            path, chunks = step.args
            return store.put(path, iter(chunks), **step.options)
        return getattr(store, step.call)(*step.args, **step.options)

    def rule_of(self, step: Step, found: Outcome, wrong: Difference | None) -> str:
        if any(", outcome" in way for way in found.ways):
            return "A-ERR-01"
        write = self.last_write()
        if step.call == "delete" or (step.call != "put" and write and write[0].call == "delete"):
            return self.of_deletion(step)
        if step.call == "put":
            return of_put(step, wrong)
        return self.of_scan(step, wrong) if step.call == "scan" else self.of_file(step)

    def of_deletion(self, step: Step) -> str:
        return "A-LST-02" if step.call == "scan" and self.is_right_elsewhere(step) else "A-DEL-01"

    def of_file(self, step: Step) -> str:
        """A file that is read, or looked at, is not as it must be."""
        path = step.args[0]
        if path not in self.model.files:
            return "A-PTH-03" if self.has_twin(path) else "A-GET-01"
        if step.call == "read" and step.args[1:] != (0, None) and self.is_right_whole(path):
            return "A-GET-01"
        puts = [step for step, _ in self.taken if step.call == "put" and step.args[0] == path]
        return "A-PUT-05" if len(puts) > 1 else "A-PUT-01"

    def has_twin(self, path: str) -> bool:
        return any(
            normalize("NFC", each).lower() == normalize("NFC", path).lower()
            for each in self.model.files
        )

    def is_right_whole(self, path: str) -> bool:
        """Tell if the whole file is read as it was put."""
        found = outcome(lambda: b"".join(self.bench.store.get(path)))
        return bool(found.raw == self.model.files[path])

    def of_scan(self, step: Step, wrong: Difference | None) -> str:
        prefix, after, _ = step.args
        if self.is_right_elsewhere(step):
            return "A-LST-02"
        whole = Step("scan", (prefix, None, 1_000), step.options)
        is_right = outcome(self.call, self.bench.store, whole).value == self.expected(whole).value
        at_border = wrong is not None and wrong.path[-1] == ".next"
        return "A-LST-03" if at_border or (after is not None and is_right) else "A-LST-01"


def of_put(step: Step, wrong: Difference | None) -> str:
    if wrong is not None:
        return "A-PUT-01"
    return "A-PUT-04" if step.options.get("if_absent") else "A-PUT-05"
