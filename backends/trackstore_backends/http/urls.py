"""What the URL of a server says: `http://user:password@host:port/prefix?timeout=30`."""

from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from urllib3.util import make_headers

from trackstore.errors import InvalidRequest

OPTIONS = {"timeout": 30.0, "connect_timeout": 10.0}
"""Seconds that a call waits for the server, each time it has sent or received something, and that
making a connection may take."""


class Server(NamedTuple):
    scheme: Literal["http", "https"]
    host: str
    port: int
    prefix: str
    timeout: float
    connect_timeout: float
    headers: dict[str, str]


def parsed(url: str) -> Server:
    """Return the parts of a URL.  Raises `InvalidRequest`, whose message holds nothing of it."""
    try:
        parts = urlsplit(url)
        port = parts.port
        given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise InvalidRequest("the URL cannot be read: http://host:port/prefix") from None
    scheme: Literal["http", "https"] = "https" if parts.scheme.lower() == "https" else "http"
    if not parts.hostname or parts.fragment or set(given) - set(OPTIONS):
        raise InvalidRequest(
            f"the URL is not one of http://host:port/prefix?option=..., where options are "
            f"{', '.join(OPTIONS)}"
        )
    seconds = {name: _number(name, given.get(name)) for name in OPTIONS}
    usual = 443 if scheme == "https" else 80
    prefix = parts.path.rstrip("/")
    return Server(scheme, parts.hostname, port or usual, prefix, headers=_login(url), **seconds)


def _login(url: str) -> dict[str, str]:
    """Return what a proxy before the server asks for, if the URL has a user."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return dict(make_headers(basic_auth=pair))


def _number(name: str, text: str | None) -> float:
    if text is None:
        return OPTIONS[name]
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1_000_000:
        raise InvalidRequest(f"the option {name} must be a number above 0")
    return number
