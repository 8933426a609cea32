"""What `fsspec+PROTOCOL://...?option=...` says."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fsspec import get_filesystem_class
from fsspec.core import url_to_fs
from msgspec import DecodeError, json

from trackstore.errors import InvalidRequest, Unsupported

_SHAPE = re.compile(r"fsspec\+([a-z0-9][a-z0-9._-]*)://([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[\]]|::")
"""What fsspec takes for a pattern, or for one file system on top of another."""


class Place(NamedTuple):
    """Where a store is: what fsspec is to open, and with which options."""

    protocol: str
    url: str
    options: dict[str, Any]
    overwrites: bool
    """The URL asks for overwriting, also where nothing is known of how safe it is."""

    def open(self, options: Mapping[str, Any]) -> tuple[Any, str]:
        """Return a file system of its own, and the root folder in it."""
        files, root = url_to_fs(self.url, skip_instance_cache=True, **options)
        return files, root.rstrip("/")


def parse(url: str) -> Place:
    """Read a URL; its message never repeats it, since it may hold a password."""
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise InvalidRequest("expected fsspec+PROTOCOL://host-or-bucket/folder?option=value")
    protocol, rest, query = shape[1].lower(), shape[2], shape[3] or ""
    if _MAGIC.search(rest):
        raise InvalidRequest("the folder of an fsspec URL holds *, [, ] or ::")
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise InvalidRequest("the options of an fsspec URL are not option=value&...") from None
    overwrite = given.pop("overwrite", None)
    if overwrite not in (None, "unsafe"):
        raise InvalidRequest("the option overwrite of an fsspec URL is 'unsafe', or left out")
    _check_known(protocol)
    options = {name: _value(text) for name, text in given.items()}
    return Place(protocol, f"{protocol}://{rest}", options, overwrite is not None)


def _check_known(protocol: str) -> None:
    try:
        get_filesystem_class(protocol)
    except ValueError as error:
        raise InvalidRequest(f"fsspec knows no protocol {protocol[:40]!r}") from error
    except ImportError as error:
        raise Unsupported(
            f"fsspec needs another package for {protocol}: {str(error)[:200]}"
        ) from error


def _value(text: str) -> Any:
    """Return a number, true, false, null or JSON as what it is, and other text as text."""
    try:
        return json.decode(text)
    except DecodeError:
        return text
