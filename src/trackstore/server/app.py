"""The WSGI application: routes, guard and error replies, put together with falcon."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import falcon
from falcon import Request, Response
from msgspec import Struct

from trackstore import remote
from trackstore.errors import BackendError, InvalidRequest, TrackstoreError
from trackstore.server import bodies, openapi, transfers
from trackstore.server.about import Site
from trackstore.server.guard import Guard
from trackstore.server.meters import Meters
from trackstore.server.refusals import Refusal, no_such_endpoint, not_implemented
from trackstore.server.routes import NOT_SERVED, ROUTES, STORE_ROUTES, by_path
from trackstore.server.routing import (
    FileRoute,
    FolderRoute,
    JSONRoute,
    Permission,
    Route,
    SiteRoute,
    StoreRoute,
    TransferRoute,
)
from trackstore.server.watch import ERROR, Received, Watch, request_id
from trackstore.tracker import Tracker
from trackstore.wire.decode import body_reader, query_reader
from trackstore.wire.failures import INTERNAL_ERROR, failure, status_of

Responder = Callable[..., None]

_SLASHED = re.compile(r"\{(path|tag_key)\}")
"""What in a path may have slashes."""

log = logging.getLogger("trackstore.server")


def create_app(
    tracker: Tracker,
    *,
    static_prefix: str = "",
    allowed_hosts: Iterable[str] = (),
    serve_stores: bool = False,
    access_log: bool = False,
    meters_folder: Path | None = None,
) -> falcon.App[Request, Response]:
    """Return the server of a tracker, as a WSGI application.

    `static_prefix` such as `/mlflow` comes before every path; `allowed_hosts` are the names,
    besides those of the loopback, by which clients may call the server.  With `serve_stores`
    clients may use the stores themselves, by `http://` URLs.  With `access_log` each request is
    logged at level INFO.  Processes that serve together count in one `meters_folder`.
    """
    routes = [route for route in ROUTES if serve_stores or route not in STORE_ROUTES]
    meters = Meters(_counted(routes), meters_folder)
    site = Site(
        openapi=cache(partial(openapi.describe, routes, static_prefix)), metrics=meters.page
    )
    served = by_path(routes)
    public = [
        static_prefix + path
        for path, methods in served.items()
        if all(route.permission is Permission.PUBLIC for route in methods.values())
    ]
    app = falcon.App(middleware=Watch(meters, access_log=access_log))
    app.add_middleware(Guard(allowed_hosts, public))
    for path, methods in served.items():
        resource = SimpleNamespace(rows={})
        for route in methods.values():
            responder = _responder(tracker, site, route, static_prefix + path)
            if _takes_a_file(route):
                responder = _counting(responder, meters)
            for each in _methods_of(route):
                setattr(resource, f"on_{each.lower()}", responder)
                resource.rows[each] = meters.rows[each, route.path]
        app.add_route(static_prefix + _SLASHED.sub(r"{\1:path}", path), resource)
    for pattern in NOT_SERVED:
        app.add_sink(_not_implemented, f"{re.escape(static_prefix)}/{pattern}")
    if not serve_stores:
        app.add_sink(_stores_not_served, f"{re.escape(static_prefix + remote.ROOT)}/")
    app.add_error_handler(Exception, _fail)
    app.add_error_handler(falcon.HTTPError, _refuse_http)
    app.add_error_handler(Refusal, _refuse)
    app.add_error_handler(TrackstoreError, _report)
    return app


def _methods_of(route: Route) -> tuple[str, ...]:
    return (route.method, "HEAD") if route.method == "GET" else (route.method,)


def _counted(routes: Iterable[Route]) -> list[tuple[str, str]]:
    return [(method, route.path) for route in routes for method in _methods_of(route)]


def _takes_a_file(route: Route) -> bool:
    if isinstance(route, StoreRoute):
        return route.path == f"{remote.ROOT}/put"
    return isinstance(route, TransferRoute | FileRoute) and route.method in {"PUT", "POST"}


def _counting(responder: Responder, meters: Meters) -> Responder:
    """Count the bytes that a responder reads."""

    def respond(request: Request, response: Response, **named: str) -> None:
        request.env["wsgi.input"] = Received(request.env["wsgi.input"], meters.count_up)
        responder(request, response, **named)

    return respond


def _responder(tracker: Tracker, site: Site, route: Route, path: str) -> Responder:
    if isinstance(route, JSONRoute):
        make = _query_responder if route.method == "GET" else _json_responder
        return make(tracker, route)
    if isinstance(route, SiteRoute):
        return _site_responder(site, route)
    if isinstance(route, FileRoute):
        return _file_responder(tracker, route)
    if isinstance(route, StoreRoute):
        return _store_responder(tracker, route)
    if isinstance(route, FolderRoute):
        return _folder_responder(tracker, route, path.index("{"))
    return _transfer_responder(tracker, route, path.index("{"))


def _json_responder(tracker: Tracker, route: JSONRoute) -> Responder:
    read, answer, read_body = body_reader(route.kind), route.answer, bodies.read_json_body
    if route.method == "DELETE" and "{" in route.path:  # all is in the path
        read_body = bodies.read_json_body_if_any

    def respond(request: Request, response: Response, **named: str) -> None:
        response.data = answer(tracker, _with(read(read_body(request.env)), named))

    return respond


def _query_responder(tracker: Tracker, route: JSONRoute) -> Responder:
    read = query_reader(route.kind, getattr(route.kind, "lists", frozenset()))
    answer = route.answer

    def respond(request: Request, response: Response, **named: str) -> None:
        response.data = answer(tracker, _with(read(request.env["QUERY_STRING"]), named))

    return respond


def _with(asked: Struct, named: Mapping[str, str]) -> Struct:
    """Return a request with what its path names, whatever else it says."""
    for name, value in named.items():
        setattr(asked, name, value)
    return asked


def _file_responder(tracker: Tracker, route: FileRoute) -> Responder:
    read, find = query_reader(route.kind), route.find
    move = transfers.receive if route.method == "POST" else transfers.send

    def respond(request: Request, response: Response, **named: str) -> None:
        folder, path = find(tracker, _with(read(request.env["QUERY_STRING"]), named))
        move(folder, request, response, path)

    return respond


def _site_responder(site: Site, route: SiteRoute) -> Responder:
    def respond(_request: Request, response: Response) -> None:
        response.content_type = route.media_type
        response.data = route.answer(site)

    return respond


def _folder_responder(tracker: Tracker, route: FolderRoute, prefix: int) -> Responder:
    read, answer, read_body = body_reader(route.kind), route.answer, bodies.read_json_body

    def respond(request: Request, response: Response, path: str) -> None:  # noqa: ARG001
        folder = _decoded(request.env["PATH_INFO"][prefix:])
        response.data = answer(tracker, folder, read(read_body(request.env)))

    return respond


def _store_responder(tracker: Tracker, route: StoreRoute) -> Responder:
    def respond(request: Request, response: Response) -> None:
        route.answer(tracker, request, response)

    return respond


def _transfer_responder(tracker: Tracker, route: TransferRoute, prefix: int) -> Responder:
    """Take the path from the environment: falcon's own hides bytes that are not UTF-8."""

    def respond(request: Request, response: Response, path: str) -> None:  # noqa: ARG001
        route.answer(tracker, request, response, _decoded(request.env["PATH_INFO"][prefix:]))

    return respond


def _decoded(path: str) -> str:
    """Return a path of WSGI, which is bytes as latin-1, as the text that the client meant."""
    try:
        return path.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest("the artifact path is not valid UTF-8") from error


def _not_implemented(req: Request, resp: Response, **_: Any) -> None:  # noqa: ARG001 - falcon's names
    raise not_implemented()


def _stores_not_served(req: Request, resp: Response, **_: Any) -> None:  # noqa: ARG001
    message = "this server does not serve its stores; it is started with --serve-stores to do so"
    raise Refusal(501, message, code="NOT_IMPLEMENTED")


def _report(request: Request, response: Response, error: TrackstoreError, _params: object) -> None:
    status, code = status_of(error)
    request.env[ERROR] = error
    if isinstance(error, BackendError):
        log.error("%s", error, exc_info=error, extra={"request_id": request_id(request.env)})
    _reply(response, status, code, str(error))


def _refuse(_request: Request, response: Response, error: Refusal, _params: object) -> None:
    for name, value in error.headers.items():
        response.set_header(name, value)
    _reply(response, error.status, error.code, str(error))


def _refuse_http(
    request: Request, response: Response, error: falcon.HTTPError, params: object
) -> None:
    """Answer what falcon itself refuses: an unknown path or method."""
    if error.status_code == 404:
        _refuse(request, response, no_such_endpoint(), params)
        return
    for name, value in dict(error.headers or {}).items():
        response.set_header(name, value)
    code = "ENDPOINT_NOT_FOUND" if error.status_code == 405 else "INVALID_PARAMETER_VALUE"
    _reply(response, error.status_code, code, error.title or "the request is refused")


def _fail(request: Request, response: Response, error: Exception, _params: object) -> None:
    request.env[ERROR] = error
    log.error("a request failed", exc_info=error, extra={"request_id": request_id(request.env)})
    _reply(response, *INTERNAL_ERROR, "the server failed; its log says why")


def _reply(response: Response, status: int, code: str, message: str) -> None:
    response.status = status
    response.content_type = "application/json"
    response.stream = None
    response.data = failure(code, message)
