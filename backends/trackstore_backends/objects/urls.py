"""What the URLs of buckets have in common: `scheme://bucket/prefix?option=value`."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct, ValidationError, convert

from trackstore.errors import InvalidRequest

S = TypeVar("S", bound=Struct)


class Address(NamedTuple):
    scheme: str
    host: str
    """The bucket, or what stands for it, with a user if there is one."""
    prefix: str
    """"" or ends in `/`."""
    options: Mapping[str, str]


def parse_address(url: str) -> Address:
    """Split a URL; no message repeats it, since it may hold a key."""
    try:
        parts = urlsplit(url)
        prefix = unquote(parts.path, errors="strict").strip("/")
        query = parts.query
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise InvalidRequest("the URL of the bucket is not UTF-8, or not well formed") from None
    if parts.fragment or not parts.netloc:
        raise InvalidRequest("expected scheme://bucket/prefix?option=value, without a fragment")
    if prefix and not {"", ".", ".."}.isdisjoint(prefix.split("/")):
        raise InvalidRequest("the prefix in a bucket's URL has an empty, '.' or '..' segment")
    if len(dict(pairs)) < len(pairs):
        raise InvalidRequest("an option of a bucket's URL is given twice")
    folder = f"{prefix}/" if prefix else ""
    return Address(parts.scheme.lower(), parts.netloc, folder, dict(pairs))


def settings(kind: type[S], options: Mapping[str, str]) -> S:
    """Return options as the fields of `kind`: numbers, texts and words of a `Literal`."""
    known = kind.__struct_fields__
    for name in options:
        if name not in known:
            there = ", ".join(known)
            raise InvalidRequest(
                f"a bucket's URL has no option {name[:40]!r} here; there are {there}"
            )
    try:
        return convert(options, kind, strict=False)
    except ValidationError as error:
        raise InvalidRequest(f"an option of a bucket's URL has a wrong value: {error}") from None
