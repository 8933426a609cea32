"""Runs, and what is logged to them."""

from collections.abc import Sized

from trackstore import limits
from trackstore.errors import LimitExceeded
from trackstore.tracker import Tracker
from trackstore.wire import replies, requests
from trackstore.wire.replies import EMPTY, encode

PAGE = 1_000


def create(tracker: Tracker, asked: requests.CreateRun) -> bytes:
    made = tracker.create_run(
        asked.experiment_id,
        name=asked.run_name,
        user_id=asked.user_id or "",
        start_time=asked.start_time,
        tags=requests.pairs(asked.tags),
    )
    return encode({"run": replies.run(made)})


def get(tracker: Tracker, asked: requests.RunById) -> bytes:
    return encode({"run": replies.run(tracker.get_run(asked.run))})


def update(tracker: Tracker, asked: requests.UpdateRun) -> bytes:
    run_id = asked.run
    tracker.update_run(
        run_id, status=asked.status or None, end_time=asked.end_time, name=asked.run_name
    )
    return encode({"run_info": replies.run_info(tracker.get_run(run_id))})


def delete(tracker: Tracker, asked: requests.RunById) -> bytes:
    tracker.delete_run(asked.run)
    return EMPTY


def restore(tracker: Tracker, asked: requests.RunById) -> bytes:
    tracker.restore_run(asked.run)
    return EMPTY


def search(tracker: Tracker, asked: requests.SearchRuns) -> bytes:
    found = tracker.search_runs(
        asked.experiment_ids or (),
        asked.filter or "",
        order_by=asked.order_by or (),
        stage=requests.stage_of(asked.run_view_type),
        limit=PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token,
    )
    return encode(replies.page("runs", found, [replies.run(each) for each in found.items]))


def log_metric(tracker: Tracker, asked: requests.LogMetric) -> bytes:
    tracker.log(asked.run, metrics=(requests.metric(asked),))
    return EMPTY


def log_param(tracker: Tracker, asked: requests.LogParam) -> bytes:
    tracker.log(asked.run, params=((asked.key, asked.value or ""),))
    return EMPTY


def set_tag(tracker: Tracker, asked: requests.SetTag) -> bytes:
    tracker.log(asked.run, tags=((asked.key, asked.value or ""),))
    return EMPTY


def delete_tag(tracker: Tracker, asked: requests.DeleteTag) -> bytes:
    tracker.delete_tag(asked.run, asked.key)
    return EMPTY


def log_batch(tracker: Tracker, asked: requests.LogBatch) -> bytes:
    _check_count("metrics", asked.metrics, limits.REQUEST_METRICS)
    _check_count("params", asked.params, limits.REQUEST_PARAMS)
    _check_count("tags", asked.tags, limits.REQUEST_TAGS)
    tracker.log(
        asked.run,
        metrics=map(requests.metric, asked.metrics or ()),
        params=requests.pairs(asked.params),
        tags=requests.pairs(asked.tags),
    )
    return EMPTY


def log_inputs(tracker: Tracker, asked: requests.LogInputs) -> bytes:
    tracker.log(
        asked.run,
        inputs=requests.dataset_inputs(asked.datasets),
        model_inputs=[model.model_id for model in asked.models or ()],
    )
    return EMPTY


def log_outputs(tracker: Tracker, asked: requests.LogOutputs) -> bytes:
    tracker.log(asked.run, outputs=requests.model_outputs(asked.models))
    return EMPTY


def log_model(tracker: Tracker, asked: requests.LogModel) -> bytes:
    tracker.note_logged_model(asked.run, requests.noted_model(asked.model_json))
    return EMPTY


def _check_count(what: str, given: Sized | None, most: int) -> None:
    if given is not None and len(given) > most:
        raise LimitExceeded(
            f"A batch logging request can contain at most {most} {what}. Got {len(given)} {what}. "
            f"Please split up {what} across multiple requests and try again."
        )
