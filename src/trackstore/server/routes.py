"""All routes in one table: method, path, what it takes, what answers it, and what it permits.

`{path}` is an artifact's path and `{tag_key}` the key of a tag: both may have slashes.  A path
under `/api/` is also served under `/ajax-api/`, where MLflow's UI asks.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from trackstore import remote
from trackstore.server import (
    about,
    direct,
    experiments,
    files,
    genai,
    listings,
    metrics,
    model_routes,
    runs,
    stores,
    transfers,
)
from trackstore.server.routing import (
    AJAX,
    EDIT,
    FILES,
    MANAGE,
    PROXY,
    PUBLIC,
    READ,
    FileRoute,
    JSONRoute,
    Route,
    SiteRoute,
    StoreRoute,
    TransferRoute,
    get,
    parts,
    post,
    transfer,
)
from trackstore.wire import requests as ask


def _of_store(name: str) -> StoreRoute:
    erases = name.startswith(("purge", "delete"))
    permission = READ if remote.METHODS[name].reads else MANAGE if erases else EDIT
    return StoreRoute(f"{remote.ROOT}/{name}", stores.ANSWERS[name], permission)


STORE_ROUTES = tuple(map(_of_store, stores.ANSWERS))
"""The stores themselves, which are served only if the operator says so."""

ROUTES: tuple[Route, ...] = (
    post("experiments/create", EDIT, ask.CreateExperiment, experiments.create),
    get("experiments/get", ask.ExperimentById, experiments.get),
    get("experiments/get-by-name", ask.ExperimentByName, experiments.get_by_name),
    get("experiments/search", ask.SearchExperiments, experiments.search),
    post("experiments/search", READ, ask.SearchExperiments, experiments.search),
    post("experiments/update", EDIT, ask.UpdateExperiment, experiments.update),
    post("experiments/delete", MANAGE, ask.ExperimentById, experiments.delete),
    post("experiments/restore", MANAGE, ask.ExperimentById, experiments.restore),
    post("experiments/set-experiment-tag", EDIT, ask.SetExperimentTag, experiments.set_tag),
    post(
        "experiments/delete-experiment-tag", EDIT, ask.DeleteExperimentTag, experiments.delete_tag
    ),
    post("runs/create", EDIT, ask.CreateRun, runs.create),
    get("runs/get", ask.RunById, runs.get),
    post("runs/update", EDIT, ask.UpdateRun, runs.update),
    post("runs/delete", MANAGE, ask.RunById, runs.delete),
    post("runs/restore", MANAGE, ask.RunById, runs.restore),
    post("runs/search", READ, ask.SearchRuns, runs.search),
    post("runs/log-metric", EDIT, ask.LogMetric, runs.log_metric),
    post("runs/log-parameter", EDIT, ask.LogParam, runs.log_param),
    post("runs/log-batch", EDIT, ask.LogBatch, runs.log_batch),
    post("runs/log-model", EDIT, ask.LogModel, runs.log_model),
    post("runs/log-inputs", EDIT, ask.LogInputs, runs.log_inputs),
    post("runs/outputs", EDIT, ask.LogOutputs, runs.log_outputs),
    post("runs/set-tag", EDIT, ask.SetTag, runs.set_tag),
    post("runs/delete-tag", EDIT, ask.DeleteTag, runs.delete_tag),
    get("metrics/get-history", ask.GetHistory, metrics.history),
    get("metrics/get-history-bulk-interval", ask.GetHistoryInterval, metrics.history_interval),
    JSONRoute(
        "GET", f"{AJAX}/metrics/get-history-bulk", ask.GetHistoryBulk, metrics.history_bulk, READ
    ),
    JSONRoute(
        "POST",
        f"{AJAX}/experiments/search-datasets",
        ask.SearchDatasets,
        experiments.search_datasets,
        READ,
    ),
    *model_routes.REGISTERED,
    *model_routes.LOGGED,
    FileRoute("GET", "/get-artifact", ask.RunFile, files.of_run, READ),
    FileRoute("POST", f"{AJAX}/upload-artifact", ask.RunFile, files.of_run, EDIT),
    get("artifacts/list", ask.ListRunArtifacts, listings.of_run),
    JSONRoute("GET", PROXY, ask.ListArtifacts, listings.of_destination, READ),
    parts("create", ask.BeginUpload, direct.begin_upload),
    parts("complete", ask.FinishUpload, direct.finish_upload),
    parts("abort", ask.AbortUpload, direct.abort_upload),
    TransferRoute("GET", f"{FILES}/presigned/{{path}}", direct.download, READ),
    post("artifacts/presigned-upload-url", EDIT, ask.PresignedUpload, direct.presigned_upload),
    post(
        "artifacts/presigned-download-url", READ, ask.PresignedDownload, direct.presigned_download
    ),
    transfer("GET", READ, transfers.download),
    transfer("PUT", EDIT, transfers.upload),
    transfer("DELETE", MANAGE, transfers.delete),
    JSONRoute("GET", "/api/3.0/mlflow/server-info", ask.Nothing, about.server_info, READ),
    *genai.ROUTES,
    *genai.WRITES,
    SiteRoute("GET", "/health", about.health, about.TEXT, PUBLIC),
    SiteRoute("GET", "/version", about.server_version, about.TEXT, PUBLIC),
    SiteRoute("GET", "/openapi.json", about.openapi, "application/json", READ),
    SiteRoute("GET", "/metrics", about.metrics, CONTENT_TYPE_PLAIN_0_0_4, READ),
    *STORE_ROUTES,
)

NOT_SERVED = (
    r"(?:ajax-)?api/2\.0/mlflow/(?:traces|webhooks)\b",
    r"(?:ajax-)?api/2\.0/mlflow/(?:unified-traces|get-online-trace-details)\b",
    r"ajax-api/2\.0/mlflow/gateway-proxy\b",
    r"ajax-api/2\.0/mlflow/runs/create-promptlab-run\b",
    r"(?:ajax-)?api/3\.0/mlflow/",
    r"(?:graphql|v1/traces|gateway|jobs)\b",
)
"""Regular expressions of the parts of MLflow's API that are answered with NOT_IMPLEMENTED."""


def paths_of(route: Route) -> tuple[str, ...]:
    """Return the paths under which a route is served."""
    if route.path.startswith("/api/") and not isinstance(route, StoreRoute):
        return route.path, f"/ajax-{route.path[1:]}"
    return (route.path,)


def by_path(routes: Iterable[Route] = ROUTES) -> Mapping[str, Mapping[str, Route]]:
    """Return the routes of each path, by method."""
    found: dict[str, dict[str, Route]] = {}
    for route in routes:
        for path in paths_of(route):
            found.setdefault(path, {})[route.method] = route
    return found
