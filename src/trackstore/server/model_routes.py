"""The routes of registered models, their versions, and logged models."""

from trackstore.server import files, logged_models, models
from trackstore.server.routing import AJAX, EDIT, MANAGE, READ, FileRoute, Route, call, get, post
from trackstore.wire import model_requests as ask

_MODELS, _VERSIONS, _LOGGED = "registered-models", "model-versions", "logged-models"
_MODEL = f"{_LOGGED}/{{model_id}}"

REGISTERED: tuple[Route, ...] = (
    post(f"{_MODELS}/create", EDIT, ask.CreateRegisteredModel, models.create),
    post(f"{_MODELS}/rename", EDIT, ask.RenameRegisteredModel, models.rename),
    call("PATCH", f"{_MODELS}/update", EDIT, ask.UpdateRegisteredModel, models.update),
    call("DELETE", f"{_MODELS}/delete", MANAGE, ask.RegisteredModelByName, models.delete),
    get(f"{_MODELS}/get", ask.RegisteredModelByName, models.get),
    get(f"{_MODELS}/search", ask.SearchModels, models.search),
    get(f"{_MODELS}/get-latest-versions", ask.GetLatestVersions, models.latest_versions),
    post(f"{_MODELS}/get-latest-versions", READ, ask.GetLatestVersions, models.latest_versions),
    post(f"{_MODELS}/set-tag", EDIT, ask.SetRegisteredModelTag, models.set_tag),
    call("DELETE", f"{_MODELS}/delete-tag", EDIT, ask.DeleteRegisteredModelTag, models.delete_tag),
    post(f"{_MODELS}/alias", EDIT, ask.SetModelAlias, models.set_alias),
    call("DELETE", f"{_MODELS}/alias", EDIT, ask.ModelAlias, models.delete_alias),
    get(f"{_MODELS}/alias", ask.ModelAlias, models.find_by_alias),
    post(f"{_VERSIONS}/create", EDIT, ask.CreateModelVersion, models.create_version),
    post(f"{_VERSIONS}/transition-stage", EDIT, ask.TransitionStage, models.transition),
    call("PATCH", f"{_VERSIONS}/update", EDIT, ask.UpdateModelVersion, models.update_version),
    call("DELETE", f"{_VERSIONS}/delete", MANAGE, ask.ModelVersionByNumber, models.delete_version),
    get(f"{_VERSIONS}/get", ask.ModelVersionByNumber, models.get_version),
    get(f"{_VERSIONS}/search", ask.SearchModels, models.search_versions),
    get(f"{_VERSIONS}/get-download-uri", ask.ModelVersionByNumber, models.download_uri),
    post(f"{_VERSIONS}/set-tag", EDIT, ask.SetModelVersionTag, models.set_version_tag),
    call(
        "DELETE",
        f"{_VERSIONS}/delete-tag",
        EDIT,
        ask.DeleteModelVersionTag,
        models.delete_version_tag,
    ),
    FileRoute("GET", f"/{_VERSIONS}/get-artifact", ask.ModelVersionFile, files.of_version, READ),
)

LOGGED: tuple[Route, ...] = (
    post(_LOGGED, EDIT, ask.CreateLoggedModel, logged_models.create),
    post(f"{_LOGGED}/search", READ, ask.SearchLoggedModels, logged_models.search),
    get(_MODEL, ask.GetLoggedModel, logged_models.get),
    call("PATCH", _MODEL, EDIT, ask.FinalizeLoggedModel, logged_models.finalize),
    call("DELETE", _MODEL, MANAGE, ask.LoggedModelById, logged_models.delete),
    call("PATCH", f"{_MODEL}/tags", EDIT, ask.SetLoggedModelTags, logged_models.set_tags),
    call(
        "DELETE",
        f"{_MODEL}/tags/{{tag_key}}",
        EDIT,
        ask.DeleteLoggedModelTag,
        logged_models.delete_tag,
    ),
    post(f"{_MODEL}/params", EDIT, ask.LogLoggedModelParams, logged_models.log_params),
    get(f"{_MODEL}/artifacts/directories", ask.ListLoggedModelArtifacts, logged_models.artifacts),
    FileRoute(
        "GET",
        f"{AJAX}/{_MODEL}/artifacts/files",
        ask.LoggedModelFile,
        files.of_logged_model,
        READ,
    ),
)
