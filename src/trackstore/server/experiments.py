"""Experiments."""

from trackstore import datasets
from trackstore.limits import check_size
from trackstore.tracker import Tracker
from trackstore.wire import replies, requests
from trackstore.wire.decode import missing
from trackstore.wire.replies import EMPTY, encode

PAGE = 1_000
MOST_EXPERIMENTS = 20
"""So many may be asked at once for their datasets."""


def create(tracker: Tracker, asked: requests.CreateExperiment) -> bytes:
    made = tracker.create_experiment(
        asked.name,
        artifact_location=asked.artifact_location or None,
        tags=requests.pairs(asked.tags),
    )
    return encode({"experiment_id": made.id})


def get(tracker: Tracker, asked: requests.ExperimentById) -> bytes:
    return encode({"experiment": replies.experiment(tracker.get_experiment(asked.experiment_id))})


def get_by_name(tracker: Tracker, asked: requests.ExperimentByName) -> bytes:
    return encode(
        {"experiment": replies.experiment(tracker.find_experiment(asked.experiment_name))}
    )


def update(tracker: Tracker, asked: requests.UpdateExperiment) -> bytes:
    tracker.rename_experiment(asked.experiment_id, asked.new_name)
    return EMPTY


def delete(tracker: Tracker, asked: requests.ExperimentById) -> bytes:
    tracker.delete_experiment(asked.experiment_id)
    return EMPTY


def restore(tracker: Tracker, asked: requests.ExperimentById) -> bytes:
    tracker.restore_experiment(asked.experiment_id)
    return EMPTY


def set_tag(tracker: Tracker, asked: requests.SetExperimentTag) -> bytes:
    tracker.set_experiment_tags(asked.experiment_id, [(asked.key, asked.value or "")])
    return EMPTY


def delete_tag(tracker: Tracker, asked: requests.DeleteExperimentTag) -> bytes:
    tracker.delete_experiment_tag(asked.experiment_id, asked.key)
    return EMPTY


def search(tracker: Tracker, asked: requests.SearchExperiments) -> bytes:
    found = tracker.search_experiments(
        asked.filter or "",
        order_by=asked.order_by or (),
        stage=requests.stage_of(asked.view_type),
        limit=PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token,
    )
    items = [replies.experiment(each) for each in found.items]
    return encode(replies.page("experiments", found, items))


def search_datasets(tracker: Tracker, asked: requests.SearchDatasets) -> bytes:
    check_size("experiment_ids", asked.experiment_ids, MOST_EXPERIMENTS)
    if not asked.experiment_ids:
        raise missing("experiment_ids")
    found = datasets.summaries(tracker, asked.experiment_ids)
    rows = [replies.dataset_summary(each) for each in found]
    return encode({"dataset_summaries": rows} if rows else {})
