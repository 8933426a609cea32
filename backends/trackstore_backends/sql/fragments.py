"""Pieces of SQL with their parameters, in a neutral wording.

Databases differ on a few phrases.  These are written here in one way, and each `Session` puts them
into its own words: `?` for a value, `x in ?` for a list, `x matches ?` and `x imatches ?` for LIKE
and ILIKE (`long_matches` where the pattern is long), `substr(x, 1, 250)` for what an index holds
of a long text, `cross join` for tables that are to be read in that order, `on conflict ...` for
rows that are there already, `for share` and `for update` for rows that must stay as they were read,
and `returning` for the number of a row that is inserted alone.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

INDEXED = 250
"""How many code points of a long text are in an index."""

LIKE_BYTES = 16_000
"""Patterns up to so many bytes are "short": some databases refuse the others."""


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


def packed(values: Iterable[int] | Iterable[str]) -> "Packed":
    """Return the one parameter of a phrase made by `among`."""
    found = (value if isinstance(value, int) else kept(value) for value in values)
    return Packed(value for value in found if value is not None)


class Packed(list[Any]):
    """A list as one parameter, all integers or all texts."""

    __slots__ = ()


def among(expression: str) -> str:
    """Return the phrase that asks whether `expression` is in a packed list."""
    return f"{expression} in ?"


def one_of(expression: str, values: Collection[int] | Collection[str]) -> Sql:
    if len(values) > 1:
        return Sql(among(expression), (packed(values),))
    (value,) = values
    return Sql(f"{expression} = ?", (value if isinstance(value, int) else kept(value),))


def indexed(expression: str) -> str:
    """Return the expression by which a long text is indexed."""
    return f"substr({expression}, 1, {INDEXED})"


class Pattern(str):
    """A short pattern of `like`."""

    __slots__ = ()


class LongPattern(str):
    """A long pattern of `like`."""

    __slots__ = ()


class FoldedPattern(str):
    """A pattern of `ilike`."""

    __slots__ = ()


def like(column: str, pattern: str) -> Sql:
    """Match by code points: `%` is any text, `_` any one code point; nothing escapes them."""
    if len(pattern.encode()) > LIKE_BYTES:
        return Sql(f"{column} long_matches ?", (LongPattern(pattern),))
    return Sql(f"{column} matches ?", (Pattern(pattern),))


def ilike(column: str, pattern: str) -> Sql:
    """Match as `like` does, with A to Z equal to a to z, and no other letter folded."""
    if len(pattern.encode()) > LIKE_BYTES:
        return Sql(f"{column} long_imatches ?", (FoldedPattern(pattern),))
    return Sql(f"{column} imatches ?", (FoldedPattern(pattern),))
