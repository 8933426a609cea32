"""Read a request's body or query into its struct, or say what is wrong with it.

Numbers may come as JSON numbers or as text, `NaN` and infinities only as text, as protobuf's
JSON has them.  Unknown fields are ignored; null and, in a query, an empty value mean absent.
"""

import re
from collections.abc import Callable
from typing import NoReturn, TypeVar
from urllib.parse import parse_qs

import msgspec

from trackstore.errors import InvalidRequest

T = TypeVar("T", bound=msgspec.Struct)

MOST_QUERY_FIELDS = 1_000

_HINT = "See the API docs for more information about request parameters."
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?")
_MISTYPED = re.compile(r"(Expected .+, got `\w+`|Number out of range)(?: - at `\$\.?(.*)`)?")


def body_reader(kind: type[T]) -> Callable[[bytes], T]:
    """Return a function from a JSON body to a `kind`; it raises `InvalidRequest`."""
    decode = msgspec.json.Decoder(kind, strict=False).decode

    def read(body: bytes) -> T:
        try:
            return decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            _explain(error)

    return read


def query_reader(kind: type[T], lists: frozenset[str] = frozenset()) -> Callable[[str], T]:
    """Return a function from a query string to a `kind`; it raises `InvalidRequest`.

    The string holds bytes as latin-1, as WSGI has it.  Of a repeated field the first counts,
    except for those in `lists`, which take all.
    """

    def read(query: str) -> T:
        try:
            fields = _query_fields(query)
            values = {key: found if key in lists else found[0] for key, found in fields.items()}
            return msgspec.convert(values, kind, strict=False)
        except (msgspec.ValidationError, ValueError) as error:
            _explain(error)

    return read


def missing(field: str) -> InvalidRequest:
    """Return the error for a required field that is absent, empty or null."""
    return InvalidRequest(f"Missing value for required parameter '{field}'. {_HINT}")


def _query_fields(query: str) -> dict[str, list[str]]:
    if not query.isascii():
        query = query.encode("latin-1").decode()
    return parse_qs(query, errors="strict", max_num_fields=MOST_QUERY_FIELDS)


def _explain(error: Exception) -> NoReturn:
    """Raise `InvalidRequest` for what a decoder found; nothing of the client's is repeated."""
    text = str(error)
    if isinstance(error, RecursionError):
        raise InvalidRequest("the request is nested too deeply") from error
    if isinstance(error, UnicodeError):
        raise InvalidRequest("the request is not valid UTF-8") from error
    if found := _MISSING.match(text):
        field, parent = found.groups()
        raise missing(f"{parent}.{field}" if parent else field) from error
    if found := _MISTYPED.match(text):
        _explain_type(found[1], found[2], error)
    if isinstance(error, msgspec.DecodeError):
        raise InvalidRequest(f"the body is not valid JSON: {text}") from error
    raise InvalidRequest("the request holds a number or a query that is too long") from error


def _explain_type(problem: str, field: str | None, error: Exception) -> NoReturn:
    if not field:
        raise InvalidRequest(f"the body must be a JSON object: {problem}") from error
    if problem.endswith("got `null`"):
        raise missing(field) from error
    raise InvalidRequest(
        f"Invalid value for parameter '{field}' supplied: {problem}. {_HINT}"
    ) from error
