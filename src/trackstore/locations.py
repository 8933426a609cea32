"""Artifact locations: the URIs that rows hold, read by one strict parser.

A location is compared and resolved as the parts that this parser finds, at every use; nothing
else takes a URI apart.  What could be read in two ways is refused: options, parameters,
fragments, passwords, dot segments in any decoding, and hosts where a host means another machine.
"""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from trackstore import paths
from trackstore.errors import InvalidRequest
from trackstore.limits import ARTIFACT_LOCATION, check_text
from trackstore.registry import has_scheme

PROXIED_ROOT: Final = "mlflow-artifacts:/"
"""The root of all locations that a tracking server resolves to its own artifact store."""

_PROXIED, _FILE = "mlflow-artifacts", "file"
_REFUSED_SCHEMES = frozenset({"http", "https", "models", "runs"})
_FORM = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?://([^/]*))?(/.*)?", re.DOTALL)
_REFUSED = re.compile(r"[?#;\\\x00-\x1f\x7f-\x9f]")


class Location(NamedTuple):
    """The parts of a location; one lies in another if its segments begin with the other's."""

    scheme: str
    host: str
    segments: tuple[str, ...]

    @property
    def is_proxied(self) -> bool:
        return self.scheme == _PROXIED

    def path_in(self, root: "Location") -> str:
        """Return the path from `root`, which lies above or is equal; by the rules of `paths`."""
        path = paths.check_folder("/".join(self.segments[len(root.segments) :]))
        if any(_REFUSED.search(decoded) for decoded in paths.decodings(path)):
            raise InvalidRequest("an artifact location holds an encoded ? # or ;")
        return path


def parse_location(uri: str) -> Location:
    """Return the parts of `uri`, or raise `InvalidRequest` or `LimitExceeded`."""
    check_text("an artifact location", uri, ARTIFACT_LOCATION)
    return _parsed(uri)


@lru_cache(maxsize=1_024)
def _parsed(uri: str) -> Location:
    form = _FORM.fullmatch(uri)
    if form is None:
        raise InvalidRequest("an artifact location must be of the form scheme:/path")
    scheme, host, path = form[1].lower(), form[2] or "", form[3] or ""
    segments = tuple(path.removesuffix("/")[1:].split("/")) if path.strip("/") else ()
    reason = _reason_to_refuse(scheme, host, path)
    if not reason and scheme == _FILE:
        segments = tuple(map(_decoded, segments))
    if not reason and not {"", ".", ".."}.isdisjoint(segments):
        reason = "has an empty, '.' or '..' segment"
    if reason:
        raise InvalidRequest(f"an artifact location of the scheme {scheme[:40]}: {reason}")
    return Location(scheme, host, segments)


def tidy(uri: str) -> str:
    """Return a sound location as rows hold it: scheme in lower case, no `/` at the end."""
    scheme, _, rest = uri.partition(":")
    return f"{scheme.lower()}:{rest.rstrip('/') or rest}"


def child(uri: str, name: str) -> str:
    """Return the location of `name`, a plain segment, below `uri`."""
    return f"{uri.rstrip('/')}/{name}"


def url_of(place: str) -> str:
    """Return a store's URL; a plain path becomes that of the folder it names now."""
    return place if has_scheme(place) else Path(os.path.abspath(place)).as_uri()  # noqa: PTH100


def _reason_to_refuse(scheme: str, host: str, path: str) -> str | None:
    userinfo, at, _ = host.rpartition("@")
    rules = (
        (scheme in _REFUSED_SCHEMES, "is never fetched from"),
        (_REFUSED.search(host + path), "holds one of ? # ; \\ or a control character"),
        (host and scheme in (_PROXIED, _FILE), "names a host"),
        ((at and ":" in userinfo) or "%" in host, "holds a password or an encoded host"),
        ("%" in path and scheme != _FILE, "holds a %, which clients read in different ways"),
        (path.startswith("//") or path.endswith("//"), "has an empty segment"),
    )
    return next((reason for broken, reason in rules if broken), None)


def _decoded(segment: str) -> str:
    """Decode a segment of a file: URI, once."""
    try:
        name = unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the path of an artifact location is not UTF-8") from error
    if "/" in name:
        raise InvalidRequest("an artifact location hides a separator")
    return name
