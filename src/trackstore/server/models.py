"""Registered models and their versions."""

from trackstore.registered import ModelVersion
from trackstore.tracker import Tracker
from trackstore.wire import model_replies as replies
from trackstore.wire import model_requests as requests
from trackstore.wire.replies import EMPTY, JSON, encode, page
from trackstore.wire.requests import pairs

MODELS_PAGE = 100
VERSIONS_PAGE = 10_000


def create(tracker: Tracker, asked: requests.CreateRegisteredModel) -> bytes:
    made = tracker.registry.create_model(
        asked.name, description=asked.description or "", tags=pairs(asked.tags)
    )
    return encode({"registered_model": replies.registered_model(made)})


def get(tracker: Tracker, asked: requests.RegisteredModelByName) -> bytes:
    found = tracker.registry.get_model(asked.name)
    return encode({"registered_model": replies.registered_model(found)})


def rename(tracker: Tracker, asked: requests.RenameRegisteredModel) -> bytes:
    found = tracker.registry.rename_model(asked.name, asked.new_name)
    return encode({"registered_model": replies.registered_model(found)})


def update(tracker: Tracker, asked: requests.UpdateRegisteredModel) -> bytes:
    found = tracker.registry.update_model(asked.name, description=asked.description or "")
    return encode({"registered_model": replies.registered_model(found)})


def delete(tracker: Tracker, asked: requests.RegisteredModelByName) -> bytes:
    tracker.registry.delete_model(asked.name)
    return EMPTY


def set_tag(tracker: Tracker, asked: requests.SetRegisteredModelTag) -> bytes:
    tracker.registry.set_model_tags(asked.name, [(asked.key, asked.value or "")])
    return EMPTY


def delete_tag(tracker: Tracker, asked: requests.DeleteRegisteredModelTag) -> bytes:
    tracker.registry.delete_model_tag(asked.name, asked.key)
    return EMPTY


def set_alias(tracker: Tracker, asked: requests.SetModelAlias) -> bytes:
    tracker.registry.set_alias(asked.name, asked.alias, asked.version)
    return EMPTY


def delete_alias(tracker: Tracker, asked: requests.ModelAlias) -> bytes:
    tracker.registry.delete_alias(asked.name, asked.alias)
    return EMPTY


def find_by_alias(tracker: Tracker, asked: requests.ModelAlias) -> bytes:
    return _version(tracker.registry.find_version(asked.name, asked.alias))


def search(tracker: Tracker, asked: requests.SearchModels) -> bytes:
    found = tracker.registry.search_models(
        asked.filter or "",
        order_by=asked.order_by or (),
        limit=MODELS_PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token,
    )
    items = [replies.registered_model(each) for each in found.items]
    return encode(page("registered_models", found, items))


def latest_versions(tracker: Tracker, asked: requests.GetLatestVersions) -> bytes:
    found = tracker.registry.latest_versions(asked.name, asked.stages or ())
    versions = [replies.model_version(each) for each in found]
    return encode({"model_versions": versions} if versions else {})


def create_version(tracker: Tracker, asked: requests.CreateModelVersion) -> bytes:
    made = tracker.registry.create_version(
        asked.name,
        asked.source,
        run_id=asked.run_id or "",
        model_id=asked.model_id or "",
        run_link=asked.run_link or "",
        description=asked.description or "",
        tags=pairs(asked.tags),
    )
    if made.model_id:
        tracker.note_model_version(made.model_id, made.name, made.version)
    return _version(made)


def get_version(tracker: Tracker, asked: requests.ModelVersionByNumber) -> bytes:
    return _version(tracker.registry.get_version(asked.name, asked.version))


def update_version(tracker: Tracker, asked: requests.UpdateModelVersion) -> bytes:
    return _version(
        tracker.registry.update_version(
            asked.name, asked.version, description=asked.description or ""
        )
    )


def transition(tracker: Tracker, asked: requests.TransitionStage) -> bytes:
    return _version(
        tracker.registry.move_version(
            asked.name,
            asked.version,
            asked.stage,
            archive_others=bool(asked.archive_existing_versions),
        )
    )


def delete_version(tracker: Tracker, asked: requests.ModelVersionByNumber) -> bytes:
    tracker.registry.delete_version(asked.name, asked.version)
    return EMPTY


def set_version_tag(tracker: Tracker, asked: requests.SetModelVersionTag) -> bytes:
    tags = [(asked.key, asked.value or "")]
    tracker.registry.set_version_tags(asked.name, asked.version, tags)
    return EMPTY


def delete_version_tag(tracker: Tracker, asked: requests.DeleteModelVersionTag) -> bytes:
    tracker.registry.delete_version_tag(asked.name, asked.version, asked.key)
    return EMPTY


def search_versions(tracker: Tracker, asked: requests.SearchModels) -> bytes:
    found = tracker.registry.search_versions(
        asked.filter or "",
        order_by=asked.order_by or (),
        limit=VERSIONS_PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token,
    )
    items = [replies.model_version(each) for each in found.items]
    return encode(page("model_versions", found, items))


def download_uri(tracker: Tracker, asked: requests.ModelVersionByNumber) -> bytes:
    return encode({"artifact_uri": tracker.registry.download_location(asked.name, asked.version)})


def _version(found: ModelVersion) -> bytes:
    reply: JSON = {"model_version": replies.model_version(found)}
    return encode(reply)
