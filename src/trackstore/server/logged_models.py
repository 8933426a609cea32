"""Logged models."""

from trackstore.registered import LoggedModel
from trackstore.server.listings import entries
from trackstore.tracker import Tracker
from trackstore.wire import model_replies as replies
from trackstore.wire import model_requests as requests
from trackstore.wire.replies import EMPTY, artifact, encode, page
from trackstore.wire.requests import pairs

PAGE = 100


def create(tracker: Tracker, asked: requests.CreateLoggedModel) -> bytes:
    return _model(
        tracker.create_logged_model(
            asked.experiment_id,
            name=asked.name or None,
            source_run_id=asked.source_run_id or "",
            model_type=asked.model_type or "",
            params=pairs(asked.params),
            tags=pairs(asked.tags),
        )
    )


def get(tracker: Tracker, asked: requests.GetLoggedModel) -> bytes:
    allowed = bool(asked.allow_deleted)
    return _model(tracker.get_logged_model(asked.model_id, allow_deleted=allowed))


def finalize(tracker: Tracker, asked: requests.FinalizeLoggedModel) -> bytes:
    return _model(tracker.finalize_logged_model(asked.model_id, asked.wanted))


def delete(tracker: Tracker, asked: requests.LoggedModelById) -> bytes:
    tracker.delete_logged_model(asked.model_id)
    return EMPTY


def set_tags(tracker: Tracker, asked: requests.SetLoggedModelTags) -> bytes:
    tracker.set_logged_model_tags(asked.model_id, pairs(asked.tags))
    return EMPTY


def delete_tag(tracker: Tracker, asked: requests.DeleteLoggedModelTag) -> bytes:
    tracker.delete_logged_model_tag(asked.model_id, asked.tag_key)
    return EMPTY


def log_params(tracker: Tracker, asked: requests.LogLoggedModelParams) -> bytes:
    tracker.log_logged_model_params(asked.model_id, pairs(asked.params))
    return EMPTY


def search(tracker: Tracker, asked: requests.SearchLoggedModels) -> bytes:
    found = tracker.search_logged_models(
        asked.experiment_ids,
        asked.filter or "",
        datasets=requests.datasets(asked.datasets),
        order_by=requests.orders(asked.order_by),
        limit=asked.max_results or PAGE,
        page_token=asked.page_token,
    )
    return encode(page("models", found, [replies.logged_model(each) for each in found.items]))


def artifacts(tracker: Tracker, asked: requests.ListLoggedModelArtifacts) -> bytes:
    """Paths are relative to the model's root."""
    model = tracker.get_logged_model(asked.model_id)
    found = entries(tracker.artifacts.at(model.artifact_uri), asked.artifact_directory_path)
    files = [artifact(each, each.path) for each in found]
    return encode({"root_uri": model.artifact_uri, **({"files": files} if files else {})})


def _model(found: LoggedModel) -> bytes:
    return encode({"model": replies.logged_model(found)})
