"""Which datasets the runs of experiments have read, for a filter to choose from."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from trackstore.model import DATASET_CONTEXT, Run
from trackstore.tracker import Tracker

MOST = 1_000
"""So many are found, as in MLflow."""


class DatasetSummary(Struct, frozen=True):
    """A dataset that a run of the experiment has read, and what for."""

    experiment_id: str
    name: str
    digest: str
    context: str | None = None


def summaries(tracker: Tracker, experiment_ids: Sequence[str]) -> list[DatasetSummary]:
    """Return the datasets that active runs have read, those of the newest runs first."""
    found: dict[DatasetSummary, None] = {}
    for run in _runs_with_datasets(tracker, experiment_ids):
        for read in run.inputs:
            data, context = read.dataset, read.tags.get(DATASET_CONTEXT)
            found[DatasetSummary(run.experiment_id, data.name, data.digest, context)] = None
        if len(found) >= MOST:
            break
    return list(found)[:MOST]


def _runs_with_datasets(tracker: Tracker, experiment_ids: Sequence[str]) -> Iterator[Run]:
    token = None
    while True:
        page = tracker.search_runs(list(experiment_ids), "dataset.name LIKE '%'", page_token=token)
        yield from page.items
        if (token := page.next) is None:
            return
