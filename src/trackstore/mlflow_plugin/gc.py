"""What `mlflow gc` may erase."""

from collections.abc import Iterator

from trackstore.model import Experiment, LifecycleStage
from trackstore.model_stores import LoggedModelStore
from trackstore.registered import LoggedModel
from trackstore.tracker import Tracker, now_ms

_PAGE = 1_000


def deleted_runs(tracker: Tracker, older_than: int) -> list[str]:
    """Return the runs that were deleted at least `older_than` ms ago.

    A run that is deleted with its experiment counts from the experiment's last change.
    """
    latest = now_ms() - older_than
    return [
        run_id
        for experiment in _experiments(tracker)
        for run_id, when in _deleted_in(tracker, experiment)
        if when <= latest
    ]


def deleted_models(tracker: Tracker, older_than: int) -> list[str]:
    """Return the logged models that were deleted at least `older_than` ms ago."""
    if not isinstance(tracker.store, LoggedModelStore):
        return []
    latest = now_ms() - older_than
    return [
        model.id
        for experiment in _experiments(tracker)
        for model in _models_in(tracker.store, experiment)
        if model.last_update_time <= latest
    ]


def _experiments(tracker: Tracker) -> Iterator[Experiment]:
    token = None
    while True:
        page = tracker.search_experiments(stage=None, page_token=token)
        yield from page.items
        if (token := page.next) is None:
            return


def _deleted_in(tracker: Tracker, experiment: Experiment) -> Iterator[tuple[str, int]]:
    token = None
    while True:
        page = tracker.search_runs([experiment.id], stage=LifecycleStage.DELETED, page_token=token)
        for run in page.items:
            when = run.deleted_time
            yield run.id, experiment.last_update_time if when is None else when
        if (token := page.next) is None:
            return


def _models_in(store: LoggedModelStore, experiment: Experiment) -> Iterator[LoggedModel]:
    after = None
    while True:
        page = store.scan_logged_models(experiment.id, None, LifecycleStage.DELETED, after, _PAGE)
        yield from page.items
        if (after := page.next) is None:
            return
