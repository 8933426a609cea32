"""Keep secrets out of what is published: user, password and query values of a store's URL."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

STARS = "***"
SHORTEST = 4
"""Code points of a password that is looked for by itself: a shorter one is in ordinary words."""
SHORTEST_VALUE = 8
"""The same of a query's value, most of which are no secrets, such as `require`."""
SECRET_NAME = re.compile("pass|pwd|secret|token|key|sig|cred|auth", re.IGNORECASE)


class _Parts(Struct, frozen=True):
    scheme: str
    """With its slashes."""
    user: str | None
    """And password."""
    place: str
    query: tuple[tuple[str, str], ...]


def _split(url: str) -> _Parts:
    """Take a URL apart, whatever it is.

    All that stands before the last `@` is user and password: one with a `/`, `?` or `#` in it,
    which should have been encoded, is a secret too.
    """
    head, _, query = url.rpartition("?") if "?" in url else (url, "", "")
    if "@" in query:
        head, query = url, ""
    scheme, slashes, rest = head.partition("//")
    if not slashes:
        scheme, rest = "", head
    user, at, place = rest.rpartition("@")
    pairs = [part.partition("=") for part in re.split("[&;]", query) if part]
    named = tuple((name, value) for name, _, value in pairs)
    return _Parts(scheme + slashes, user if at else None, place, named)


def redacted(url: str) -> str:
    """Return the URL without user, password and the values of its query."""
    parts = _split(url)
    user = f"{STARS}@" if parts.user is not None else ""
    query = "?" + "&".join(f"{name}={STARS}" for name, _ in parts.query) if parts.query else ""
    return parts.scheme + user + parts.place + query


def scrubber(url: str) -> Callable[[str], str]:
    """Return what takes the secrets of `url` out of a text: where it is quoted, and by themselves.

    The name of a user alone is none.
    """
    parts = _split(url)
    hidden = {url: redacted(url)} if url else {}
    if parts.user is not None:
        hidden |= {f"{form}@": f"{STARS}@" for form in _forms(parts.user)}
    for name, value in parts.query:
        hidden |= {f"{name}={form}": f"{name}={STARS}" for form in _forms(value)}
    hidden |= dict.fromkeys(_alone(parts), STARS)

    def scrub(text: str) -> str:
        for secret in sorted(hidden, key=len, reverse=True):
            text = text.replace(secret, hidden[secret])
        return text

    return scrub


def _alone(parts: _Parts) -> Iterator[str]:
    password = (parts.user or "").partition(":")[2]
    yield from (form for form in _forms(password) if len(form) >= SHORTEST)
    for name, value in parts.query:
        least = SHORTEST if SECRET_NAME.search(name) else SHORTEST_VALUE
        yield from (form for form in _forms(value) if len(form) >= least)


def _forms(secret: str) -> set[str]:
    return {secret, unquote(secret)} - {""}


def writable(text: str) -> str:
    """Return the text with what UTF-8 cannot hold, lone surrogates, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def in_all_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return plain JSON values with every text in them changed, keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {in_all_texts(k, change): in_all_texts(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [in_all_texts(each, change) for each in value]
    return value
