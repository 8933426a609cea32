"""Clients without credentials, which a store has given a URL."""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from trackstore.model import SignedURL

SECONDS = 120
"""For which URLs are good, where it does not matter."""
TIMEOUT = 30.0
REFUSED = 400


class Reply(NamedTuple):
    status: int
    body: bytes
    tag: str

    @property
    def is_refused(self) -> bool:
        return self.status >= REFUSED


def ask(verb: str, signed: SignedURL, body: bytes | None = None) -> Reply:
    """Send a request with what was signed, and nothing else that would let it in."""
    parts = urlsplit(signed.url)
    connection = connect(parts)
    try:
        connection.request(verb, target(parts), body, dict(signed.headers))
        reply = connection.getresponse()
        return Reply(reply.status, reply.read(), reply.headers.get("ETag", ""))
    finally:
        connection.close()


def cut(signed: SignedURL, body: bytes, announced: int) -> None:
    """Begin a PUT of more bytes than are sent, and go away."""
    parts = urlsplit(signed.url)
    connection = connect(parts)
    try:
        connection.putrequest("PUT", target(parts))
        for name, value in {**signed.headers, "Content-Length": str(announced)}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
    except (HTTPException, OSError):
        return  # the service was the first to go
    finally:
        connection.close()


def connect(parts: SplitResult) -> HTTPConnection:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=TIMEOUT)


def target(parts: SplitResult) -> str:
    return parts._replace(scheme="", netloc="").geturl()


def changed(signed: SignedURL) -> Iterator[tuple[str, SignedURL]]:
    """Yield what was changed, and the URL: each value in it once, and each left out once."""
    parts = urlsplit(signed.url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    for place, (name, value) in enumerate(given):
        before, after = given[:place], given[place + 1 :]
        yield f"no {name}", _with(signed, parts, before + after)
        if value:
            other = f"{'9' if value[0] != '9' else '8'}{value[1:]}"
            yield f"another {name}", _with(signed, parts, [*before, (name, other), *after])


def _with(signed: SignedURL, parts: SplitResult, query: list[tuple[str, str]]) -> SignedURL:
    return SignedURL(
        parts._replace(query=urlencode(query, quote_via=quote)).geturl(), signed.headers
    )


def for_path(signed: SignedURL, end: str, other: str) -> SignedURL:
    """Return the URL with another end of its path."""
    parts = urlsplit(signed.url)
    assert parts.path.endswith(end), "the path of a signed URL ends as that of the file"
    path = parts.path.removesuffix(end) + other
    return SignedURL(parts._replace(path=path).geturl(), signed.headers)
