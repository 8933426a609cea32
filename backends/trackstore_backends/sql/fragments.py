"""Pieces of SQL with their parameters, and the phrases on which databases differ."""

import json
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

INDEXED = 250
"""How many code points of a long text are in an index."""

LIKE_BYTES = 50_000
"""SQLite refuses longer patterns; for those the connection has the function `matches_like`."""


class Sql(NamedTuple):
    """A piece of SQL and the values of its question marks, in order."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: "Sql") -> "Sql":  # type: ignore[override]
        return Sql(self.text + other.text, self.values + other.values)


NEVER = Sql("1 = 0")
ALWAYS = Sql("1 = 1")


def joined(separator: str, parts: Iterable[Sql]) -> Sql:
    listed = list(parts)
    return Sql(
        separator.join(part.text for part in listed),
        tuple(value for part in listed for value in part.values),
    )


def all_of(parts: Iterable[Sql]) -> Sql:
    return joined(" and ", parts)


def kept(text: str) -> str | None:
    """Return `text` if a database can keep it, else None, which SQL finds equal to nothing."""
    if text.isascii() and "\0" not in text:
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return None if "\0" in text else text


def packed(values: Iterable[int] | Iterable[str]) -> str:
    """Return the one parameter of a phrase made by `among`."""
    found = (value if isinstance(value, int) else kept(value) for value in values)
    return json.dumps([value for value in found if value is not None])


def among(expression: str) -> str:
    """Return the phrase that asks whether `expression` is in a packed list."""
    return f"{expression} in (select value from json_each(?))"


def one_of(expression: str, values: Collection[int] | Collection[str]) -> Sql:
    if len(values) > 1:
        return Sql(among(expression), (packed(values),))
    (value,) = values
    return Sql(f"{expression} = ?", (value if isinstance(value, int) else kept(value),))


def indexed(expression: str) -> str:
    """Return the expression by which a long text is indexed."""
    return f"substr({expression}, 1, {INDEXED})"


def like(expression: str, pattern: str) -> Sql:
    """Match by code points: `%` is any text, `_` any one code point; nothing escapes them."""
    if len(pattern.encode()) > LIKE_BYTES // 3:  # GLOB's escapes may treble it
        return Sql(f"matches_like({expression}, ?, 0)", (pattern,))
    escaped = "".join(f"[{mark}]" if mark in "*?[" else mark for mark in pattern)
    return Sql(f"{expression} glob ?", (escaped.replace("%", "*").replace("_", "?"),))


def ilike(expression: str, pattern: str) -> Sql:
    """Match as `like` does, with A to Z equal to a to z, and no other letter folded."""
    if len(pattern.encode()) > LIKE_BYTES:
        return Sql(f"matches_like({expression}, ?, 1)", (pattern,))
    return Sql(f"{expression} like ?", (pattern,))
