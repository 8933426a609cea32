"""What is noted of every request: how long it took and how it ended, and where wanted a line."""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from falcon import Request, Response

from trackstore.server.meters import OTHER, Meters

Env = dict[str, Any]

ERROR, ID = "trackstore.error", "trackstore.request_id"

log = logging.getLogger("trackstore.server.access")

_PLAIN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class Watch:
    """Middleware that counts each request, and with `access_log` logs a line for each."""

    def __init__(self, meters: Meters, *, access_log: bool = False) -> None:
        self._meters = meters
        self._access_log = access_log
        self._other = meters.rows[OTHER]

    def process_request(self, request: Request, _response: Response) -> None:
        self._meters.begin(request)

    def process_response(
        self, request: Request, response: Response, resource: Any, _succeeded: object
    ) -> None:
        row = self._other
        if resource is not None:
            row = resource.rows.get(request.method, row)
        is_plain = response.status == "200 OK" and response.stream is None
        if is_plain and ERROR not in request.env and not self._access_log:
            self._meters.end(request, row, 200)  # most requests, and all that are in a hurry
        else:
            self._note(request, response, row)

    def _note(self, request: Request, response: Response, row: int) -> None:
        env, status = request.env, response.status_code
        if ERROR in env:
            self._meters.count_error(env[ERROR])
        if self._access_log:
            request_id(env)
        if ID in env:
            response.set_header("x-request-id", env[ID])
        if hasattr(response.stream, "close"):
            response.stream = Sent(
                response.stream, lambda size: self._end(request, row, status, size)
            )
        else:
            self._end(request, row, status, None)

    def _end(self, request: Request, row: int, status: int, sent: int | None) -> None:
        seconds = self._meters.end(request, row, status)
        if sent:
            self._meters.count_down(sent)
        if self._access_log:
            log.info("request", extra=_line(request.env, status, seconds, sent))


def request_id(env: Env) -> str:
    """Return what a request goes by in the log: the client's own id if it is a plain word."""
    found: str = env.get(ID, "")
    if not found:
        given = env.get("HTTP_X_REQUEST_ID", "")
        found = given if _PLAIN_ID.fullmatch(given) else secrets.token_hex(8)
        env[ID] = found
    return found


class Received:
    """A request's body, of which the bytes are counted as they are read."""

    def __init__(self, stream: Any, count: Callable[[int], None]) -> None:
        self._read = stream.read
        self._count = count

    def read(self, size: int = -1) -> bytes:
        block: bytes = self._read(size)
        self._count(len(block))
        return block


class Sent:
    """A file on its way to the client; `end` gets the bytes that went, once."""

    def __init__(self, stream: Any, end: Callable[[int], None]) -> None:
        self._stream = stream
        self._end: Callable[[int], None] | None = end
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._stream:
            self._size += len(block)
            yield block

    def close(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            try:
                self._stream.close()
            finally:
                end(self._size)


def _line(env: Env, status: int, seconds: float, sent: int | None) -> dict[str, object]:
    """Return what is logged of a request: never its query, body or headers, which may be secret."""
    found: dict[str, object] = {
        "request_id": env[ID],
        "client": env.get("REMOTE_ADDR", ""),
        "method": env["REQUEST_METHOD"],
        "path": env["PATH_INFO"].encode("latin-1").decode(errors="replace"),
        "status": status,
        "ms": round(seconds * 1_000, 3),
    }
    if sent is not None:
        found["sent"] = sent
    if ERROR in env:
        found["error"] = type(env[ERROR]).__name__
    return found
