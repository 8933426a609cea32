"""All routes in one table: method, path, what it takes, what answers it, and what it permits.

`{path}` is an artifact's path.  A path under `/api/` is also served under `/ajax-api/`, where
MLflow's UI asks.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from falcon import Request, Response
from msgspec import Struct

from trackstore.server import about, experiments, listings, metrics, runs, transfers
from trackstore.tracker import Tracker
from trackstore.wire import requests as ask

Answer = Callable[[Tracker, Any], bytes]
"""What answers a JSON request: it gets the decoded request, and returns the encoded reply."""
PlainAnswer = Callable[[Tracker], bytes]
"""What answers without looking at the request."""
Transfer = Callable[[Tracker, Request, Response, str], None]
"""What moves a file; it gets the artifact's path."""


class Permission(StrEnum):
    """What a caller must be allowed to do; a route without an entry is not served."""

    PUBLIC = "public"
    """Anybody, under any Host: for probes."""
    READ = "read"
    EDIT = "edit"
    MANAGE = "manage"
    """To delete and restore."""


class JSONRoute(Struct, frozen=True):
    """A call with a JSON body, or for GET a query, and a JSON reply."""

    method: str
    path: str
    kind: type[Struct]
    answer: Answer
    permission: Permission


class PlainRoute(Struct, frozen=True):
    """A call that is answered with plain text."""

    method: str
    path: str
    answer: PlainAnswer
    permission: Permission


class TransferRoute(Struct, frozen=True):
    """A call whose body, or whose reply's body, is a file."""

    method: str
    path: str
    answer: Transfer
    permission: Permission


Route = JSONRoute | PlainRoute | TransferRoute

PUBLIC, READ, EDIT, MANAGE = Permission

_TRACKING = "/api/2.0/mlflow"
_AJAX = "/ajax-api/2.0/mlflow"
_PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def _get(path: str, kind: type[Struct], answer: Answer) -> JSONRoute:
    return JSONRoute("GET", f"{_TRACKING}/{path}", kind, answer, READ)


def _post(path: str, permission: Permission, kind: type[Struct], answer: Answer) -> JSONRoute:
    return JSONRoute("POST", f"{_TRACKING}/{path}", kind, answer, permission)


def _transfer(method: str, permission: Permission, answer: Transfer) -> TransferRoute:
    return TransferRoute(method, f"{_PROXY}/{{path}}", answer, permission)


ROUTES: tuple[Route, ...] = (
    _post("experiments/create", EDIT, ask.CreateExperiment, experiments.create),
    _get("experiments/get", ask.ExperimentById, experiments.get),
    _get("experiments/get-by-name", ask.ExperimentByName, experiments.get_by_name),
    _get("experiments/search", ask.SearchExperiments, experiments.search),
    _post("experiments/search", READ, ask.SearchExperiments, experiments.search),
    _post("experiments/update", EDIT, ask.UpdateExperiment, experiments.update),
    _post("experiments/delete", MANAGE, ask.ExperimentById, experiments.delete),
    _post("experiments/restore", MANAGE, ask.ExperimentById, experiments.restore),
    _post("experiments/set-experiment-tag", EDIT, ask.SetExperimentTag, experiments.set_tag),
    _post(
        "experiments/delete-experiment-tag", EDIT, ask.DeleteExperimentTag, experiments.delete_tag
    ),
    _post("runs/create", EDIT, ask.CreateRun, runs.create),
    _get("runs/get", ask.RunById, runs.get),
    _post("runs/update", EDIT, ask.UpdateRun, runs.update),
    _post("runs/delete", MANAGE, ask.RunById, runs.delete),
    _post("runs/restore", MANAGE, ask.RunById, runs.restore),
    _post("runs/search", READ, ask.SearchRuns, runs.search),
    _post("runs/log-metric", EDIT, ask.LogMetric, runs.log_metric),
    _post("runs/log-parameter", EDIT, ask.LogParam, runs.log_param),
    _post("runs/log-batch", EDIT, ask.LogBatch, runs.log_batch),
    _post("runs/log-inputs", EDIT, ask.LogInputs, runs.log_inputs),
    _post("runs/outputs", EDIT, ask.LogOutputs, runs.log_outputs),
    _post("runs/set-tag", EDIT, ask.SetTag, runs.set_tag),
    _post("runs/delete-tag", EDIT, ask.DeleteTag, runs.delete_tag),
    _get("metrics/get-history", ask.GetHistory, metrics.history),
    _get("metrics/get-history-bulk-interval", ask.GetHistoryInterval, metrics.history_interval),
    JSONRoute(
        "GET", f"{_AJAX}/metrics/get-history-bulk", ask.GetHistoryBulk, metrics.history_bulk, READ
    ),
    _post("logged-models/search", READ, ask.Nothing, about.no_logged_models),
    _get("artifacts/list", ask.ListRunArtifacts, listings.of_run),
    JSONRoute("GET", _PROXY, ask.ListArtifacts, listings.of_destination, READ),
    _transfer("GET", READ, transfers.download),
    _transfer("PUT", EDIT, transfers.upload),
    _transfer("DELETE", MANAGE, transfers.delete),
    JSONRoute("GET", "/api/3.0/mlflow/server-info", ask.Nothing, about.server_info, READ),
    PlainRoute("GET", "/health", about.health, PUBLIC),
    PlainRoute("GET", "/version", about.server_version, PUBLIC),
)

NOT_SERVED = (
    r"(?:ajax-)?api/2\.0/mlflow/(?:registered-models|model-versions|logged-models|traces|webhooks)\b",
    r"(?:ajax-)?api/2\.0/mlflow/(?:runs/log-model|unified-traces|get-online-trace-details)\b",
    r"(?:ajax-)?api/2\.0/mlflow/artifacts/presigned-(?:up|down)load-url\b",
    r"ajax-api/2\.0/mlflow/(?:experiments/search-datasets|upload-artifact|gateway-proxy)\b",
    r"ajax-api/2\.0/mlflow/runs/create-promptlab-run\b",
    r"(?:ajax-)?api/2\.0/mlflow-artifacts/(?:mpu|presigned)/",
    r"(?:ajax-)?api/3\.0/mlflow/",
    r"(?:graphql|get-artifact|model-versions/get-artifact|v1/traces|gateway|jobs)\b",
)
"""Regular expressions of the parts of MLflow's API that are answered with NOT_IMPLEMENTED."""


def paths_of(route: Route) -> tuple[str, ...]:
    """Return the paths under which a route is served."""
    if route.path.startswith("/api/"):
        return route.path, f"/ajax-{route.path[1:]}"
    return (route.path,)


def by_path(routes: tuple[Route, ...] = ROUTES) -> Mapping[str, Mapping[str, Route]]:
    """Return the routes of each path, by method."""
    found: dict[str, dict[str, Route]] = {}
    for route in routes:
        for path in paths_of(route):
            found.setdefault(path, {})[route.method] = route
    return found
