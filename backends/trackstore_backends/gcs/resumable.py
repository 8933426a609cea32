"""A large upload: one session, to which the service adds what comes, and which nobody sees.

A chunk is sent once the next one is there, since the last one says how long the whole is.  After a
failure the service is asked how much it has, and is sent the rest.
"""

import base64
import re
from typing import Any, Final

import google_crc32c
from google.api_core.exceptions import from_http_response
from requests import Response

from trackstore.errors import BackendError, Unavailable
from trackstore_backends.gcs.errors import translated
from trackstore_backends.objects import Parts

_GOES_ON: Final = 308
_GONE: Final = 499
"""What the service answers when a session was cancelled."""


class ResumableParts(Parts):
    def __init__(self, session: Any, place: str, timeout: tuple[float, float], retry: Any) -> None:
        self._session = session
        self._place = place
        self._timeout = timeout
        self._retry = retry
        self._sum = google_crc32c.Checksum()
        self._begin = 0
        self._waiting = b""

    def note(self, part: bytes) -> None:
        self._sum.update(part)

    def send(self, number: int, part: bytes) -> None:
        if number > 1:
            with translated("PUT"):
                self._send(None, {})
            self._begin += len(self._waiting)
        self._waiting = part

    def finish(self) -> None:
        whole = base64.b64encode(self._sum.digest()).decode()
        with translated("PUT", "unknown"):
            self._send(self._begin + len(self._waiting), {"X-Goog-Hash": f"crc32c={whole}"})

    def abort(self) -> None:
        with translated("PUT"):
            reply = self._session.delete(self._place, timeout=self._timeout)
            if reply.status_code not in {_GONE, 200, 204, 404}:
                raise from_http_response(reply)

    def _send(self, total: int | None, headers: dict[str, str]) -> None:
        """Send what waits; after a failure, from wherever the service has got to."""
        sending = _Sending(self._begin, self._waiting, total, headers)
        self._retry(lambda: self._attempt(sending))()

    def _attempt(self, sending: "_Sending") -> None:
        if sending.has_failed:
            self._ask(sending)
        sending.has_failed = True
        while sending.rest:
            sending.take(self._put(sending.rest, sending.headers()))

    def _ask(self, sending: "_Sending") -> None:
        whole = "*" if sending.total is None else sending.total
        sending.take(self._put(b"", {"Content-Range": f"bytes */{whole}"}))

    def _put(self, data: bytes | memoryview, headers: dict[str, str]) -> Response:
        reply: Response = self._session.put(
            self._place, data=data, headers=headers, timeout=self._timeout, allow_redirects=False
        )
        if reply.status_code != _GOES_ON and not reply.ok:
            raise from_http_response(reply)
        return reply


class _Sending:
    """A chunk on its way: how much of it the service has."""

    def __init__(self, begin: int, chunk: bytes, total: int | None, more: dict[str, str]) -> None:
        self.total = total
        self.has_failed = False
        self._begin = begin
        self._chunk = memoryview(chunk)
        self._more = more
        self._sent = 0

    @property
    def rest(self) -> memoryview:
        return self._chunk[self._sent :]

    def headers(self) -> dict[str, str]:
        first, last = self._begin + self._sent, self._begin + len(self._chunk) - 1
        whole = "*" if self.total is None else self.total
        return {"Content-Range": f"bytes {first}-{last}/{whole}", **self._more}

    def take(self, reply: Response) -> None:
        """Learn from a reply how much has arrived."""
        if reply.status_code != _GOES_ON:
            if self.total is None:
                raise BackendError("gs PUT: the service ended an upload that was not at its end")
            self._sent = len(self._chunk)
            return
        told = re.fullmatch(r"bytes=0-(\d+)", reply.headers.get("Range", ""))
        arrived = (int(told[1]) + 1 if told else 0) - self._begin
        if not 0 <= arrived <= len(self._chunk):
            raise Unavailable("gs PUT: the service lost a part of the upload: try again")
        self._sent = arrived
