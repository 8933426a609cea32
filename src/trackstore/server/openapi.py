"""A description of the API in OpenAPI 3.1, made from the table of routes.

Requests are described by the structs that decode them, so none can be described as what it is not.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import Struct

from trackstore import remote
from trackstore.server import (
    direct,
    experiments,
    listings,
    logged_models,
    metrics,
    models,
    runs,
)
from trackstore.server.routing import (
    FileRoute,
    FolderRoute,
    JSONRoute,
    Route,
    SiteRoute,
    StoreRoute,
    TransferRoute,
)
from trackstore.wire import model_shapes, shapes
from trackstore.wire.requests import Nothing

JSON = dict[str, Any]

_ABOUT = (
    "Experiments, runs and files, by MLflow's REST API.  What lies under `/api/` is also served "
    "under `/ajax-api/`, and what answers GET also answers HEAD.  Integers may be sent as text."
)
_BYTES = "application/octet-stream"
_TEXT = "text/plain"
_REF = "#/components/schemas/{name}"
_NAMED = re.compile(r"\{(\w+)\}")
_PREFIXES = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/", "/api/2.0/", "/api/3.0/mlflow/", "/api/")
_NAN = {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}

_Asked = JSONRoute | FolderRoute | FileRoute

REPLIES: Mapping[Any, type[Struct]] = {
    experiments.create: shapes.ExperimentId,
    experiments.get: shapes.ExperimentReply,
    experiments.get_by_name: shapes.ExperimentReply,
    experiments.search: shapes.ExperimentPage,
    runs.create: shapes.RunReply,
    runs.get: shapes.RunReply,
    runs.update: shapes.RunInfoReply,
    runs.search: shapes.RunPage,
    metrics.history: shapes.HistoryPage,
    metrics.history_interval: shapes.Histories,
    metrics.history_bulk: shapes.Histories,
    listings.of_run: shapes.RunFiles,
    listings.of_destination: shapes.Files,
    direct.begin_upload: shapes.BegunUpload,
    direct.presigned_upload: shapes.SignedUpload,
    direct.presigned_download: shapes.SignedDownload,
    models.create: model_shapes.RegisteredModelReply,
    models.get: model_shapes.RegisteredModelReply,
    models.rename: model_shapes.RegisteredModelReply,
    models.update: model_shapes.RegisteredModelReply,
    models.search: model_shapes.RegisteredModelPage,
    models.latest_versions: model_shapes.ModelVersions,
    models.create_version: model_shapes.ModelVersionReply,
    models.get_version: model_shapes.ModelVersionReply,
    models.find_by_alias: model_shapes.ModelVersionReply,
    models.update_version: model_shapes.ModelVersionReply,
    models.transition: model_shapes.ModelVersionReply,
    models.search_versions: model_shapes.ModelVersionPage,
    models.download_uri: model_shapes.ModelLocation,
    logged_models.create: model_shapes.LoggedModelReply,
    logged_models.get: model_shapes.LoggedModelReply,
    logged_models.finalize: model_shapes.LoggedModelReply,
    logged_models.search: model_shapes.LoggedModelPage,
    logged_models.artifacts: shapes.RunFiles,
}
"""What an answer returns; others return an object of which no field matters."""


def describe(routes: Iterable[Route], prefix: str = "") -> bytes:
    """Return the description of the API that `routes` make, under a path such as `/mlflow`."""
    table = list(routes)
    kinds = [
        route.kind for route in table if isinstance(route, JSONRoute | FolderRoute | FileRoute)
    ]
    shown = [*kinds, *REPLIES.values(), shapes.Failure, Nothing]
    _, schemas = msgspec.json.schema_components(set(shown), ref_template=_REF)
    _let_numbers_be_text(schemas)
    paths: dict[str, JSON] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "trackstore", "version": version("trackstore"), "description": _ABOUT},
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }
    return msgspec.json.encode(document)


def _operation(route: Route, schemas: Mapping[str, JSON]) -> JSON:
    takes, body, returns = _content(route, schemas)
    named = _NAMED.findall(route.path)
    operation: JSON = {
        "operationId": _name(route),
        "tags": [_tail(route.path).partition("/")[0]],
        "x-permission": route.permission,
        "parameters": [*(_in_path(name) for name in named), *takes],
        "responses": {
            "200": {"description": "done", "content": returns},
            "default": {
                "description": "refused, or failed",
                "content": _json(_ref(shapes.Failure)),
            },
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _content(route: Route, schemas: Mapping[str, JSON]) -> tuple[list[JSON], JSON, JSON]:
    """Return a route's query parameters, the content of its body, and that of its reply."""
    named = _NAMED.findall(route.path)
    if isinstance(route, JSONRoute | FolderRoute):
        reply = _json(_ref(REPLIES.get(route.answer, Nothing)))
        if route.method == "GET":
            return _query(schemas[route.kind.__name__], named), {}, reply
        all_named = set(route.kind.__struct_fields__) <= set(named)
        return [], {} if all_named else _json(_ref(route.kind)), reply
    if isinstance(route, SiteRoute):
        return [], {}, {route.media_type: {}}
    if isinstance(route, StoreRoute):
        return [], {remote.MEDIA_TYPE: {}}, {remote.MEDIA_TYPE: {}}
    if isinstance(route, FileRoute):
        query = _query(schemas[route.kind.__name__], named)
        sends = route.method == "GET"
        return query, {} if sends else {_BYTES: {}}, {_BYTES: {}} if sends else {_TEXT: {}}
    return _of_transfer(route)


def _of_transfer(route: TransferRoute) -> tuple[list[JSON], JSON, JSON]:
    if route.method == "GET":
        ranged = {"name": "Range", "in": "header", "schema": {"type": "string"}}
        return [ranged], {}, {_BYTES: {}}
    if route.method == "PUT":
        return [], {_BYTES: {}}, {_TEXT: {}}
    return [], {}, _json(_ref(Nothing))


def _query(schema: JSON, named: Iterable[str]) -> list[JSON]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
        if name not in named
    ]


def _in_path(name: str) -> JSON:
    found = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    return found | {"description": "may have slashes"} if name == "path" else found


def _json(schema: JSON) -> JSON:
    return {"application/json": {"schema": schema}}


def _ref(kind: type[Struct]) -> JSON:
    return {"$ref": _REF.format(name=kind.__name__)}


def _name(route: Route) -> str:
    words = re.findall(r"\w+", _tail(route.path))
    return "_".join((route.method.lower(), *words))


def _tail(path: str) -> str:
    found = next((path[len(each) :] for each in _PREFIXES if path.startswith(each)), path)
    return found.strip("/")


def _let_numbers_be_text(schemas: Mapping[str, JSON]) -> None:
    """JSON has no NaN and no infinities, so the numbers of points may be sent as text."""
    for schema in schemas.values():
        for field, found in schema.get("properties", {}).items():
            if found == {"type": "number"}:
                schema["properties"][field] = {"anyOf": [found, _NAN]}
