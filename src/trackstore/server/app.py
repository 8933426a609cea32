"""The WSGI application: routes, guard and error replies, put together with falcon."""

import logging
import re
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import falcon
from falcon import Request, Response

from trackstore.errors import BackendError, InvalidRequest, TrackstoreError
from trackstore.server import bodies
from trackstore.server.guard import Guard
from trackstore.server.refusals import Refusal, no_such_endpoint
from trackstore.server.routes import (
    NOT_SERVED,
    JSONRoute,
    Permission,
    PlainRoute,
    Route,
    TransferRoute,
    by_path,
)
from trackstore.tracker import Tracker
from trackstore.wire.decode import body_reader, query_reader
from trackstore.wire.failures import INTERNAL_ERROR, failure, status_of

Responder = Callable[..., None]

log = logging.getLogger("trackstore.server")


def create_app(
    tracker: Tracker, *, static_prefix: str = "", allowed_hosts: Iterable[str] = ()
) -> falcon.App[Request, Response]:
    """Return the server of a tracker, as a WSGI application.

    `static_prefix` such as `/mlflow` comes before every path; `allowed_hosts` are the names,
    besides those of the loopback, by which clients may call the server.
    """
    served = by_path()
    public = [
        static_prefix + path
        for path, methods in served.items()
        if all(route.permission is Permission.PUBLIC for route in methods.values())
    ]
    app = falcon.App(middleware=[Guard(allowed_hosts, public)])
    for path, methods in served.items():
        resource = SimpleNamespace()
        for method, route in methods.items():
            responder = _responder(tracker, route, static_prefix + path)
            setattr(resource, f"on_{method.lower()}", responder)
            if method == "GET":
                resource.on_head = responder
        app.add_route(static_prefix + path.replace("{path}", "{path:path}"), resource)
    for pattern in NOT_SERVED:
        app.add_sink(_not_implemented, f"{re.escape(static_prefix)}/{pattern}")
    app.add_error_handler(Exception, _fail)
    app.add_error_handler(falcon.HTTPError, _refuse_http)
    app.add_error_handler(Refusal, _refuse)
    app.add_error_handler(TrackstoreError, _report)
    return app


def _responder(tracker: Tracker, route: Route, path: str) -> Responder:
    if isinstance(route, JSONRoute):
        make = _query_responder if route.method == "GET" else _json_responder
        return make(tracker, route)
    if isinstance(route, PlainRoute):
        return _plain_responder(tracker, route)
    return _transfer_responder(tracker, route, path.index("{"))


def _json_responder(tracker: Tracker, route: JSONRoute) -> Responder:
    read, answer, read_body = body_reader(route.kind), route.answer, bodies.read_json_body

    def respond(request: Request, response: Response) -> None:
        response.data = answer(tracker, read(read_body(request.env)))

    return respond


def _query_responder(tracker: Tracker, route: JSONRoute) -> Responder:
    read = query_reader(route.kind, getattr(route.kind, "lists", frozenset()))
    answer = route.answer

    def respond(request: Request, response: Response) -> None:
        response.data = answer(tracker, read(request.env["QUERY_STRING"]))

    return respond


def _plain_responder(tracker: Tracker, route: PlainRoute) -> Responder:
    def respond(_request: Request, response: Response) -> None:
        response.content_type = "text/plain; charset=utf-8"
        response.data = route.answer(tracker)

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
    message = "this part of MLflow's API is not served"
    raise Refusal(501, message, code="NOT_IMPLEMENTED")


def _report(_request: Request, response: Response, error: TrackstoreError, _params: object) -> None:
    status, code = status_of(error)
    if isinstance(error, BackendError):
        log.error("%s", error, exc_info=error)
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


def _fail(_request: Request, response: Response, error: Exception, _params: object) -> None:
    log.error("a request failed", exc_info=error)
    _reply(response, *INTERNAL_ERROR, "the server failed; its log says why")


def _reply(response: Response, status: int, code: str, message: str) -> None:
    response.status = status
    response.content_type = "application/json"
    response.stream = None
    response.data = failure(code, message)
