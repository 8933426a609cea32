"""What is checked before any route is looked at: who the request was meant for, and sent by.

A web page that the user happens to visit must not reach a server on their machine: neither by
naming it (the Origin is then foreign) nor by a name of its own that it points here (the Host is
then unknown).
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from falcon import Request, Response

from trackstore.errors import InvalidRequest
from trackstore.server.refusals import Refusal

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
)
"""On every reply."""


class Guard:
    """Middleware that lets a request pass if its Host is ours and its Origin is not foreign.

    `allowed` are names such as `ml.example.com`, `*.example.com` or `ml.example.com:8443`; a name
    without a port stands for all ports, and `*` for all names.  `public` are paths that probes
    may ask for under any name.
    """

    def __init__(self, allowed: Iterable[str], public: Iterable[str] = ()) -> None:
        names = [name.strip().lower() for name in allowed]
        self._names = frozenset((*names, *LOOPBACK_NAMES))
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._origins = frozenset(name for name in names if name not in LOOPBACK_NAMES)
        self._any = "*" in names
        self._public = frozenset(public)
        self._is_known = lru_cache(maxsize=256)(self._knows)

    def process_request(self, request: Request, _response: Response) -> None:
        env = request.env
        host = env.get("HTTP_HOST", "")
        if not self._is_known(host) and env["PATH_INFO"] not in self._public:
            raise Refusal(
                403,
                "this server does not go by the name in the request's Host header; it is started "
                "with --allowed-hosts to go by other names than localhost",
                code="PERMISSION_DENIED",
            )
        origin = env.get("HTTP_ORIGIN")
        if origin is not None and not self._is_ours(origin, host):
            raise Refusal(403, "cross-origin requests are refused", code="PERMISSION_DENIED")

    def process_response(
        self, _request: Request, response: Response, _resource: object, _succeeded: object
    ) -> None:
        for name, value in HEADERS:
            response.set_header(name, value)

    def _knows(self, host: str) -> bool:
        if self._any:
            return True
        host = host.lower()
        name = _without_port(host)
        return not self._names.isdisjoint((host, name)) or name.endswith(self._suffixes)

    def _is_ours(self, origin: str, host: str) -> bool:
        """Tell whether a page of this server sent the request, or one of a name it was given.

        A proxy may give the server another Host than the one its users see.
        """
        found = urlsplit(origin.lower()).netloc
        if not found:
            return False
        if found == host.lower():
            return True
        name = _without_port(found)
        return not self._origins.isdisjoint((found, name)) or name.endswith(self._suffixes)


def check_allowed_hosts(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated list; `InvalidRequest` if one is no host name."""
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if name != "*" and not _is_host(name.removeprefix("*.")):
            raise InvalidRequest(f"--allowed-hosts: {name[:80]!r} is not a host name")
    return names


def names_of(bound: str) -> tuple[str, ...]:
    """Return the names by which a server that listens on the address `bound` goes."""
    if bound in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return ()
    return (f"[{bound}]" if ":" in bound else bound,)


def is_loopback(bound: str) -> bool:
    try:
        return ip_address(bound).is_loopback
    except ValueError:
        return bound == "localhost"


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _is_host(name: str) -> bool:
    name = _without_port(name)
    if name.startswith("["):
        return name.endswith("]") and ":" in name
    labels = name.split(".")
    return all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels)
