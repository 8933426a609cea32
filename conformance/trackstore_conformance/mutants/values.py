"""Mutants that change batches, params, tags and inputs on their way in or out."""

from typing import ClassVar
from unicodedata import normalize

from msgspec.structs import replace

from trackstore.errors import Conflict, InvalidRequest, NotFound
from trackstore.model import (
    RUN_NAME,
    Applied,
    Batch,
    Dataset,
    DatasetInput,
    Run,
    RunChanges,
)
from trackstore_conformance.mutants.wrapped import Mutant

PIECE = 999


class EveryThousandthPointDropped(Mutant):
    """Loses a point of each thousand in a batch."""

    killed_by = "B-BAT-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        kept = [point for n, point in enumerate(batch.metrics, 1) if n % 1_000]
        return super().log(run_id, replace(batch, metrics=kept))


class BatchInPieces(Mutant):
    """Writes the params of a batch in pieces, so that a late refusal leaves the early ones."""

    killed_by = "B-BAT-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        items = list(batch.params.items())
        for at in range(0, len(items), PIECE):
            super().log(run_id, Batch(params=dict(items[at : at + PIECE][:1])))
        return super().log(run_id, batch)


class FirstParamChecked(Mutant):
    """Looks for a conflict in the first param alone, and leaves the others out if they differ."""

    killed_by = "B-BAT-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).params
        later = [
            key for key in list(batch.params)[1:] if known.get(key) not in {None, batch.params[key]}
        ]
        params = {key: value for key, value in batch.params.items() if key not in later}
        return super().log(run_id, replace(batch, params=params))


class EmptyBatchRefused(Mutant):
    """Takes a batch with nothing in it for a mistake."""

    killed_by = "B-BAT-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        if batch == Batch():
            raise InvalidRequest("the batch is empty")
        return super().log(run_id, batch)


class DatasetsOfRefusedBatches(Mutant):
    """Keeps the fields of a dataset whose batch was refused."""

    killed_by = "B-BAT-01"
    first: ClassVar[dict[tuple[str, str, str], Dataset]] = {}

    def log(self, run_id: str, batch: Batch) -> Applied:
        home = self.inner.get_run(run_id).experiment_id
        for used in batch.inputs:
            dataset = used.dataset
            self.first.setdefault((home, dataset.name, dataset.digest), dataset)
        return super().log(run_id, batch)

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        known = [
            self.first[run.experiment_id, i.dataset.name, i.dataset.digest] for i in run.inputs
        ]
        pairs = zip(known, run.inputs, strict=True)
        return replace(run, inputs=tuple(DatasetInput(dataset, i.tags) for dataset, i in pairs))


class ParamsComparedByBeginning(Mutant):
    """Compares the first 255 code points of two values of a param."""

    killed_by = "B-PAR-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        known = self.inner.get_run(run_id).params
        params = {
            key: known[key] if key in known and known[key][:255] == value[:255] != value else value
            for key, value in batch.params.items()
        }
        return super().log(run_id, replace(batch, params=params))


class ParamKeysTrimmed(Mutant):
    """Takes the blanks off both ends of a param's key."""

    killed_by = "B-PAR-02"
    near = ("B-PAR-03", "B-TAG-01", "B-MET-01")

    def log(self, run_id: str, batch: Batch) -> Applied:
        params = {key.strip(" ") or key: value for key, value in batch.params.items()}
        return super().log(run_id, replace(batch, params=params))


class SameValueConflicts(Mutant):
    """Refuses the value that a param already has."""

    killed_by = "B-PAR-02"
    near = ("B-PAR-01", "B-MET-01", "B-RUN-05")

    def log(self, run_id: str, batch: Batch) -> Applied:
        if not self.inner.get_run(run_id).params.keys().isdisjoint(batch.params):
            raise Conflict("the param is there")
        return super().log(run_id, batch)


class EmptyParamsMissing(Mutant):
    """Takes an empty param for none, as a store that reads '' as NULL does."""

    killed_by = "B-PAR-01"
    near = ("B-TAG-01", "B-MET-04", "B-RUN-05")

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return replace(run, params={key: value for key, value in run.params.items() if value})


class TagValues(Mutant):
    """Stores `changed(text)` as the value of every tag that is logged."""

    def changed(self, text: str) -> str:
        raise NotImplementedError

    def log(self, run_id: str, batch: Batch) -> Applied:
        tags = {key: self.changed(value) for key, value in batch.tags.items()}
        return super().log(run_id, replace(batch, tags=tags))

    def create_run(self, run: Run) -> Run:
        tags = {key: self.changed(value) for key, value in run.tags.items()}
        return super().create_run(replace(run, tags=tags))


class TagsComposed(TagValues):
    """Normalises text to its composed form."""

    killed_by = "B-TXT-01"

    def changed(self, text: str) -> str:
        return normalize("NFC", text)


class TagsInLatin1(TagValues):
    """Keeps text in a column of latin-1, with a question mark for what is not in it."""

    killed_by = "B-TXT-01"

    def changed(self, text: str) -> str:
        return text.encode("latin-1", "replace").decode("latin-1")


class NewlinesTranslated(TagValues):
    """Reads text as a text file is read."""

    killed_by = "B-TXT-01"

    def changed(self, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")


class QuotesDoubled(TagValues):
    """Escapes text twice."""

    killed_by = "B-TXT-01"

    def changed(self, text: str) -> str:
        return text.replace("'", "''")


class BmpOnly(TagValues):
    """Keeps no code point beyond 16 bits, as MySQL's `utf8` does."""

    killed_by = "B-TXT-01"

    def changed(self, text: str) -> str:
        return "".join(mark if ord(mark) < 2**16 else "\ufffd" for mark in text)


class EmptyTagDeletes(Mutant):
    """Deletes a tag that is set to an empty text."""

    killed_by = "B-TAG-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        tags = {key: value for key, value in batch.tags.items() if value}
        known = self.inner.get_run(run_id).tags
        gone = [key for key, value in batch.tags.items() if not value and key in known]
        return super().log(
            run_id, replace(batch, tags=tags, deleted_tags=[*batch.deleted_tags, *gone])
        )


class AbsentTagRefused(Mutant):
    """Refuses to delete a tag that is not there."""

    killed_by = "B-TAG-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        if not self.inner.get_run(run_id).tags.keys() >= set(batch.deleted_tags):
            raise NotFound("there is no such tag")
        return super().log(run_id, batch)


class AbsentTagUnreported(Mutant):
    """Says nothing of a tag that was to be deleted and was not there."""

    killed_by = "B-TAG-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        super().log(run_id, batch)
        return Applied()


class TagsOfChangesLost(Mutant):
    """Ends a run, and forgets the tags that were set with it."""

    killed_by = "B-TAG-01"

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        name = {key: value for key, value in changes.tags.items() if key == RUN_NAME}
        super().update_run(run_id, replace(changes, tags=name))


class NameOfCreation(Mutant):
    """Keeps the name that a run was created with, whatever its tag says later."""

    killed_by = "B-RUN-05"
    names: ClassVar[dict[str, str]] = {}

    def create_run(self, run: Run) -> Run:
        created = super().create_run(run)
        self.names.setdefault(run.id, run.name)
        return created

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        named = RUN_NAME in run.tags and self.names.get(run_id)
        return replace(run, tags={**run.tags, RUN_NAME: self.names[run_id]}) if named else run


class DatasetsRewritten(Mutant):
    """Gives a dataset the fields it was logged with last."""

    killed_by = "B-INP-01"
    last: ClassVar[dict[tuple[str, str, str], Dataset]] = {}

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = super().log(run_id, batch)
        home = self.inner.get_run(run_id).experiment_id
        for used in batch.inputs:
            self.last[home, used.dataset.name, used.dataset.digest] = used.dataset
        return applied

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        known = [self.last[run.experiment_id, i.dataset.name, i.dataset.digest] for i in run.inputs]
        pairs = zip(known, run.inputs, strict=True)
        return replace(run, inputs=tuple(DatasetInput(dataset, i.tags) for dataset, i in pairs))


class InputTagsReplaced(Mutant):
    """Keeps only those tags of an input that came last."""

    killed_by = "B-INP-01"
    last: ClassVar[dict[tuple[str, str, str], dict[str, str]]] = {}

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = super().log(run_id, batch)
        for used in batch.inputs:
            self.last[run_id, used.dataset.name, used.dataset.digest] = dict(used.tags)
        return applied

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        tags = [self.last[run_id, i.dataset.name, i.dataset.digest] for i in run.inputs]
        pairs = zip(run.inputs, tags, strict=True)
        return replace(run, inputs=tuple(DatasetInput(i.dataset, last) for i, last in pairs))


class OutputsByModelAlone(Mutant):
    """Keeps one output for each model, whatever its step."""

    killed_by = "B-INP-02"

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return replace(run, outputs=tuple({each.model_id: each for each in run.outputs}.values()))


class ModelsAsAList(Mutant):
    """Has a model once for each time it was logged."""

    killed_by = "B-INP-02"
    logged: ClassVar[dict[str, list[str]]] = {}

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied = super().log(run_id, batch)
        self.logged.setdefault(run_id, []).extend(batch.model_inputs)
        return applied

    def get_run(self, run_id: str) -> Run:
        return replace(super().get_run(run_id), model_inputs=tuple(self.logged.get(run_id, ())))


VALUES: tuple[type[Mutant], ...] = (
    EveryThousandthPointDropped,
    BatchInPieces,
    FirstParamChecked,
    EmptyBatchRefused,
    DatasetsOfRefusedBatches,
    ParamsComparedByBeginning,
    ParamKeysTrimmed,
    SameValueConflicts,
    EmptyParamsMissing,
    TagsComposed,
    TagsInLatin1,
    NewlinesTranslated,
    QuotesDoubled,
    BmpOnly,
    EmptyTagDeletes,
    AbsentTagRefused,
    AbsentTagUnreported,
    TagsOfChangesLost,
    NameOfCreation,
    DatasetsRewritten,
    InputTagsReplaced,
    OutputsByModelAlone,
    ModelsAsAList,
)
