"""Filter clauses as SQL, meaning exactly what `trackstore.search.matches` says."""

import math
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from trackstore.errors import InvalidRequest
from trackstore.model import DATASET_CONTEXT, NAN_IMAGE, Comparison, order_image
from trackstore_backends.sql.fragments import (
    ALWAYS,
    INDEXED,
    NEVER,
    Sql,
    among,
    ilike,
    indexed,
    like,
    packed,
)

TABLES = {"metric": "latest", "param": "params", "tag": "tags"}
"""Where the values of an entity are, a row for each run and label that has one."""

ATTRIBUTES = {
    "run_id": "id",
    "user_id": "user_id",
    "status": "status",
    "artifact_uri": "artifact_uri",
    "start_time": "start_time",
    "end_time": "end_time",
}
"""The columns of `runs` that can be named in a query."""

RANGES = {"=", "<", "<=", ">", ">="}
TIMES = {"start_time", "end_time"}
LEAST, MOST = -(2**63), 2**63 - 1


class Source(NamedTuple):
    """Where an index finds all rows `f` of `table` that satisfy a clause, and perhaps others."""

    table: str
    condition: Sql
    exp: str = "f.exp"
    """The experiment of a row; with a plus, so that its index is not taken for the better."""


def condition(clause: Comparison, labels: Mapping[str, int], run: str) -> Sql:
    """Return what a clause asks of the run `r`, whose number is also `run`.

    A number that is known before `r` has been read lets the clause be tested before.
    """
    if clause.entity == "attribute":
        return _attribute("r", clause)
    if clause.entity == "dataset":
        return _dataset(clause, run)
    label = labels.get(clause.key)
    if label is None:
        return ALWAYS if clause.operator == "IS NULL" else NEVER
    exists = f"exists (select 1 from {TABLES[clause.entity]} v where v.run = {run} and v.label = ?"
    if clause.operator == "IS NULL":
        return Sql(f"not {exists})", (label,))
    return Sql(f"{exists} and ", (label,)) + tested(clause, "v") + Sql(")")


def source(clause: Comparison, labels: Mapping[str, int]) -> Source | None:
    """Return the index that serves a clause, if one does."""
    if clause.entity == "attribute":
        if clause.key == "run_id" and clause.operator in {"=", "IN"}:
            return Source("runs", _attribute("f", clause), "+f.exp")
        if clause.key == "start_time" and clause.operator in RANGES:
            return Source("runs", _attribute("f", clause))
        return None
    if clause.entity not in TABLES or clause.key not in labels:
        return None
    found = _indexed(clause)
    if found is None:
        return None
    label = Sql("f.label = ? and ", (labels[clause.key],))
    return Source(TABLES[clause.entity], label + found)


def tested(clause: Comparison, row: str) -> Sql:
    """Return what a clause asks of `row`, a row that is there in the table of its entity."""
    if clause.entity == "metric":
        return _number(f"{row}.o", clause, _image_under, least=NAN_IMAGE)
    return _text(f"{row}.value", clause)


def _indexed(clause: Comparison) -> Sql | None:
    """Return what an index finds of the rows `f`, or None if none serves the clause."""
    if clause.entity == "metric":
        return tested(clause, "f") if clause.operator in RANGES else None
    wanted, prefix = clause.value, indexed("f.value")
    if not isinstance(wanted, str):
        return None
    if clause.operator == "=":
        return Sql(f"{prefix} = ?", (wanted[:INDEXED],))
    head = re.split("[%_]", wanted, maxsplit=1)[0][:INDEXED]
    if clause.operator == "LIKE" and head and ord(head[-1]) < sys.maxunicode:
        return Sql(f"{prefix} >= ? and {prefix} < ?", (head, _after_all(head)))
    return None


def _after_all(head: str) -> str:
    """Return the first text that sorts after every text that begins with `head`."""
    following = ord(head[-1]) + 1
    return head[:-1] + chr(0xE000 if following == 0xD800 else following)  # beyond surrogates


def _attribute(row: str, clause: Comparison) -> Sql:
    try:
        column = f"{row}.{ATTRIBUTES[clause.key]}"
    except KeyError:
        raise InvalidRequest(f"runs have no attribute {clause.key[:64]!a}") from None
    if clause.operator == "IS NULL":
        return Sql(f"{column} is null")
    if clause.key in TIMES:
        return _number(column, clause, _integer_under)
    return _text(column, clause)


def _dataset(clause: Comparison, run: str) -> Sql:
    source, column = "inputs i join datasets d on d.dataset = i.dataset", f"d.{clause.key}"
    if clause.key == "context":
        source, column = "inputs i join input_tags t on t.input = i.input", "t.value"
    elif clause.key not in {"name", "digest"}:
        raise InvalidRequest(f"datasets have no {clause.key[:64]!a}")
    exists = Sql(f"exists (select 1 from {source} where i.run = {run}")
    if clause.key == "context":
        exists += Sql(" and t.name = ?", (DATASET_CONTEXT,))
    if clause.operator == "IS NULL":
        return Sql("not ") + exists + Sql(")")
    return exists + Sql(" and ") + _text(column, clause) + Sql(")")


def _text(column: str, clause: Comparison) -> Sql:
    """Return the test of a text that is there."""
    wanted: Any = clause.value
    match clause.operator:
        case "IS NOT NULL":
            return Sql(f"{column} is not null")
        case "LIKE":
            return like(column, wanted)
        case "ILIKE":
            return ilike(column, wanted)
        case "IN":
            return Sql(among(column), (packed(wanted),))
        case "NOT IN":
            return Sql(f"not {among(column)}", (packed(wanted),))
    return Sql(f"{column} {clause.operator} ?", (wanted,))


def _number(
    column: str,
    clause: Comparison,
    greatest_under: Callable[[Any], tuple[int, bool]],
    least: int | None = None,
) -> Sql:
    """Return the test of a number, kept as an integer, that is there.

    `greatest_under` returns the greatest such integer that is not over the wanted number, and
    whether it equals it.  Only `!=` is true of the value `least`.
    """
    operator: str = clause.operator
    is_nan = isinstance(clause.value, float) and math.isnan(clause.value)
    kept, equal = (0, False) if is_nan or clause.value is None else greatest_under(clause.value)
    if operator == "IS NOT NULL" or (operator == "!=" and not equal):
        return Sql(f"{column} is not null")
    if is_nan or (operator == "=" and not equal):
        return NEVER
    if not equal:
        operator = "<=" if operator in {"<", "<="} else ">"
    test = Sql(f"{column} {operator} ?", (kept,))
    if least is not None and operator in {"<", "<="}:
        test += Sql(f" and {column} > ?", (least,))
    return test


def _image_under(wanted: float) -> tuple[int, bool]:
    try:
        value = float(wanted)
    except OverflowError:
        value = math.copysign(math.inf, wanted > 0 or -1)
    if value > wanted:
        value = math.nextafter(value, -math.inf)
    return order_image(value), value == wanted


def _integer_under(wanted: float) -> tuple[int, bool]:
    if not LEAST <= wanted <= MOST:
        return (LEAST if wanted < 0 else MOST), False
    return math.floor(wanted), math.floor(wanted) == wanted
