"""What the URL of a database server says: `scheme://user:password@host:port/database?option=...`."""

from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from trackstore.errors import InvalidRequest


class Options(NamedTuple):
    """Those that every server has; the others are the driver's."""

    pool_size: int = 16
    """The most connections that a handle reads by at once; one more writes."""
    pool_timeout: float = 30.0
    """Seconds that a read waits for a connection."""
    timeout: float = 30.0
    """Seconds that a call waits for an answer of the server, and for locks of others."""
    connect_timeout: float = 10.0
    """Seconds that making a connection may take."""


class Address(NamedTuple):
    user: str
    password: str
    host: str
    port: int
    database: str
    options: Options
    others: dict[str, str]
    """The options that are the driver's."""


def parsed(url: str, port: int) -> Address:
    """Return the parts of a URL; `port` is the server's usual one.

    Raises `InvalidRequest`, whose message holds nothing of the URL but the names of its options.
    """
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        number = parts.port or port
        given = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError:
        raise InvalidRequest(
            "the URL cannot be read; characters like @ / : # % in a user or password must be "
            "percent-encoded"
        ) from None
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        raise InvalidRequest("the URL names no database: scheme://user@host:port/database")
    return Address(
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        unquote(parts.hostname or ""),
        number,
        database,
        Options(*(_number(name, given.pop(name, None)) for name in Options._fields)),
        given,
    )


def _number(name: str, text: str | None) -> Any:
    default = Options._field_defaults[name]
    if text is None:
        return default
    try:
        number = type(default)(text)
    except ValueError:
        number = 0
    if not 0 < number < 1_000_000:
        raise InvalidRequest(f"the option {name} must be a number above 0")
    return number
