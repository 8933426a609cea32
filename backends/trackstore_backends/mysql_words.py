"""How MariaDB and MySQL word the statements of `sql/`: see `fragments.py` there."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from pymysql.converters import escape_item

from trackstore_backends.sql.fragments import FoldedPattern, LongPattern, Packed, Pattern

ESCAPE = "|"
"""What makes the next character of a pattern an ordinary one: there must be such a character."""


def _fold(found: re.Match[str]) -> str:
    """Return a test that folds A to Z and nothing else, which no collation does."""
    folded = found[1]
    for upper, lower in zip(ascii_uppercase, ascii_lowercase, strict=True):
        folded = f"replace({folded}, '{upper}', '{lower}')"
    return f"{folded} like ? escape '{ESCAPE}'"


def keep_greatest(columns: Sequence[str]) -> str:
    """Return assignments that replace a row by a greater one.

    They are made one after the other, and each sees those before it: so the last column of the
    order comes first, and none looks at a column that has been assigned.
    """
    assignments = []
    for place in reversed(range(len(columns))):
        column = columns[place]
        assignments.append(f"{column} = if({_greater(columns, place)}, values({column}), {column})")
    return "on duplicate key update " + ", ".join(assignments)


def _greater(columns: Sequence[str], place: int) -> str:
    """Return the test that the new row is greater, by the columns up to `place` alone.

    A column is also replaced if it is greater while those before it are equal; beyond `place`
    all columns are assigned already.
    """
    test = f"values({columns[place]}) > {columns[place]}"
    for column in reversed(columns[:place]):
        test = f"(values({column}) > {column} or values({column}) = {column} and {test})"
    return test


def _ignore(found: re.Match[str]) -> str:
    """Return an insert that leaves the rows that are there, and still refuses what is too long."""
    table, columns, values = found.groups()
    if table == "points":
        return f"insert ignore into {table} ({columns}){values}"
    first = columns.split(",")[0].strip()
    return (
        f"insert into {table} ({columns}){values} on duplicate key update {first} = {table}.{first}"
    )


_WORDS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"%", "%%"),
    (r"([\w.]+) (?:long_)?imatches \?", _fold),
    (r" (?:long_)?matches \?", f" like ? escape '{ESCAPE}'"),
    (r"substr\(([\w]+)\.value, 1, 250\)", r"\1.head"),
    (r" cross join ", " straight_join "),
    (r" for share\b", " lock in share mode"),
    (r" returning \w+$", ""),  # which MySQL lacks: the driver knows the number of the new row
    (
        r"on conflict \([^)]*\) do update set [^()]*where \(([^)]*)\) > \([^)]*\)",
        lambda found: keep_greatest(re.findall(r"excluded\.(\w+)", found[1])),
    ),
    (r"on conflict \([^)]*\) do update set ", "on duplicate key update "),
    (r"excluded\.(\w+)", r"values(\1)"),
    (r"insert into (\w+) \(([^)]*)\)(.*)\s+on conflict do nothing", _ignore),
    (r"\?", "%s"),
)


@lru_cache(maxsize=1_000)
def worded(sql: str) -> str:
    for phrase, words in _WORDS:
        sql = re.sub(phrase, words, sql, flags=re.DOTALL)
    return sql


@lru_cache(maxsize=100)
def bulk_insert(sql: str) -> tuple[str, str] | None:
    """Return what comes before and after the rows of an insert, or None if it is none."""
    found = re.fullmatch(r"(\s*insert .* values )\(([%s, ]*)\)(.*)", worded(sql), re.DOTALL)
    return (found[1], found[3]) if found else None


def escaped_list(values: Packed, charset: str, mapping: Any = None) -> str:
    return f"({', '.join(escape_item(value, charset, mapping) for value in values) or 'null'})"


def _escaped_pattern(pattern: str) -> str:
    return pattern.replace(ESCAPE, 2 * ESCAPE)


def _folded_pattern(pattern: str) -> str:
    return _escaped_pattern(pattern.translate(FOLDED))


FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)
PATTERNS: Mapping[type, Callable[[str], str]] = {
    Pattern: _escaped_pattern,
    LongPattern: _escaped_pattern,
    FoldedPattern: _folded_pattern,
}


def given(parameters: Sequence[Any]) -> Sequence[Any]:
    """Put patterns into words: the driver asks no text for its type."""
    return [PATTERNS[type(p)](p) if type(p) in PATTERNS else p for p in parameters]
