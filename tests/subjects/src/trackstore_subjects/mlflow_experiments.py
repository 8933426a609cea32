"""MLflow's experiments, and what its two tracking stores have in common."""

import re
from collections.abc import Callable
from typing import Any

from mlflow import entities
from mlflow.entities import ViewType
from msgspec import UNSET

from trackstore import model
from trackstore.errors import InvalidState, NotFound, Unsupported
from trackstore.model import Applied, Experiment, LifecycleStage, Page
from trackstore_subjects import mlflow_words as words
from trackstore_subjects.adapter import TrackingAdapter

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
VIEWS = {ACTIVE: ViewType.ACTIVE_ONLY, DELETED: ViewType.DELETED_ONLY, None: ViewType.ALL}
TOKENS: dict[Any, str] = {}
"""MLflow's token for the page that begins after a cursor."""


class ExperimentsOfMLflow(TrackingAdapter):
    translated = staticmethod(words.translated)

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.ids: dict[str, str] = {}

    def found(self, ident: str, search: Callable, get: Callable) -> Any:
        """Return MLflow's experiment or run that has our id in a tag."""
        if ident not in self.ids and re.fullmatch("[0-9a-z]+", ident):
            for each in search(f"tags.`{words.ID}` = '{ident}'"):
                self.ids[ident] = each.info.run_id if hasattr(each, "info") else each.experiment_id
        found = self.call(get, self.ids[ident]) if ident in self.ids else None
        if found is None or words.all_tags(found).get(words.ID) != ident:
            raise NotFound(f"there is no {ident!r}")
        return found

    def search(self, view: int, limit: int, text: str | None, token: str | None) -> Any:
        return self.call(self.theirs.search_experiments, view, limit, text, None, token)

    def home(self, ident: str) -> entities.Experiment:
        by = lambda text: self.search(ViewType.ALL, 1, text, None)  # noqa: E731
        return self.found(ident, by, self.theirs.get_experiment)

    def page(self, what: Any, after: Any, read: Callable, as_ours: Callable, key: Callable) -> Page:
        where = (self.url, what)
        if after is not None and (*where, after) not in TOKENS:
            raise Unsupported("a page begins where MLflow's own token says")
        found = read(None if after is None else TOKENS[*where, after])
        rows = [as_ours(each) for each in found if words.is_ours(each)]
        if not found.token or not rows:
            return Page(rows)
        TOKENS[*where, key(rows[-1])] = found.token
        return Page(rows, key(rows[-1]))

    def new_experiment(self, experiment: Experiment) -> Experiment:
        tags = words.tags_of(experiment)
        theirs = self.call(self.theirs.create_experiment, experiment.name, None, tags)
        if experiment.lifecycle_stage is DELETED:
            self.call(self.theirs.delete_experiment, theirs)
        return self.get_experiment(experiment.id)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return words.as_experiment(self.home(experiment_id))

    def purge_experiment(self, experiment_id: str) -> None:
        """Purge as `mlflow gc` does: what is deleted, the runs first."""
        found = self.home(experiment_id)
        if found.lifecycle_stage == ACTIVE:
            raise InvalidState("the experiment is active")
        theirs = found.experiment_id
        for run in self.call(self.theirs.search_runs, [theirs], None, ViewType.ALL, 10_000):
            self.call(self.theirs._hard_delete_run, run.info.run_id)
        self.call(self.theirs._hard_delete_experiment, theirs)

    def find_experiment(self, name: str) -> Experiment:
        found = self.call(self.theirs.get_experiment_by_name, name)
        if found is None or found.lifecycle_stage != ACTIVE or words.ID not in found.tags:
            raise NotFound("no living experiment has the name")
        return words.as_experiment(found)

    def update_experiment(self, experiment_id: str, changes: model.ExperimentChanges) -> Applied:
        old = self.home(experiment_id)
        theirs, was, stage = old.experiment_id, old.lifecycle_stage, changes.lifecycle_stage
        if stage is ACTIVE and was == DELETED:
            self.call(self.theirs.restore_experiment, theirs)
        if changes.name not in {UNSET, old.name}:
            self.call(self.theirs.rename_experiment, theirs, changes.name)
        tags = dict(changes.tags)
        if changes.last_update_time is not UNSET and ACTIVE in {stage, was}:
            tags[words.REST] = words.later(old, changes.last_update_time)
        for key, value in tags.items():
            tag = entities.ExperimentTag(key, value)
            self.call(self.theirs.set_experiment_tag, theirs, tag)
        absent = self.without(self.theirs.delete_experiment_tag, theirs, changes.deleted_tags)
        if stage is DELETED and was == ACTIVE:
            self.call(self.theirs.delete_experiment, theirs)
        return absent

    def without(self, delete: Callable, theirs: str, keys: Any) -> Applied:
        absent = []
        for key in keys:
            try:
                self.call(delete, theirs, key)
            except NotFound:
                absent.append(key)
        return Applied(tuple(absent))

    def scan_experiments(self, stage: LifecycleStage | None, after: Any, limit: int) -> Page:
        read = lambda token: self.search(VIEWS[stage], limit, None, token)  # noqa: E731
        key = lambda e: (e.creation_time, e.id)  # noqa: E731
        return self.page(stage, after, read, words.as_experiment, key)
