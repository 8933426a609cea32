"""The order of a page of runs, as SQL, and where the page after it starts.

Each field sorts its values first, then NaN, then the runs without one, in both directions.
These three ranks of the first field are read one after the other, since an index gives the
order within each.  Those of the other fields are sorted by.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trackstore.errors import InvalidRequest
from trackstore.model import NAN_IMAGE, OrderBy, SortValue, from_order_image, order_image
from trackstore_backends.sql.clauses import ATTRIBUTES, TABLES
from trackstore_backends.sql.fragments import INDEXED, Sql, indexed

VALUE, NAN, MISSING = range(3)
NO_LABEL = 0
"""No key has this label, so nothing is found by it."""


class Term(NamedTuple):
    """Something to sort by, and its value in the row that the page comes after."""

    expression: str
    descending: bool
    after: Any = None


class Field(NamedTuple):
    """A field to sort by: a value of the joined row `row`, or of the run `r` itself."""

    row: str
    value: str
    descending: bool
    table: str | None
    label: int

    @property
    def is_metric(self) -> bool:
        return self.table == "latest"

    @property
    def join(self) -> Sql:
        if self.table is None:
            return Sql("")
        matches = f"{self.row}.run = r.run and {self.row}.label = ?"
        return Sql(f" left join {self.table} {self.row} on {matches}", (self.label,))

    @property
    def rank(self) -> str:
        nan = f"when {self.value} = {NAN_IMAGE} then {NAN} " if self.is_metric else ""
        return f"case when {self.value} is null then {MISSING} {nan}else {VALUE} end"

    @property
    def ranks(self) -> Sequence[int]:
        return (VALUE, NAN, MISSING) if self.is_metric else (VALUE, MISSING)

    def has_rank(self, rank: int) -> Sql:
        """Return the condition that selects the rows of a rank."""
        if rank == MISSING:
            return Sql(f"{self.value} is null")
        if not self.is_metric:
            return Sql(f"{self.value} is not null")
        return Sql(f"{self.value} {'>' if rank == VALUE else '='} ?", (NAN_IMAGE,))

    def terms(self, after: SortValue = None) -> list[Term]:
        """Return what sorts the rows of rank `VALUE`."""
        kept: Any = after
        if self.is_metric and isinstance(after, int | float):
            kept = order_image(after)
        found = [Term(self.value, self.descending, kept)]
        if self.table is not None and not self.is_metric:
            prefix = after[:INDEXED] if isinstance(after, str) else None
            found.insert(0, Term(indexed(self.value), self.descending, prefix))
        return found

    def decoded(self, kept: Any) -> SortValue:
        if self.is_metric and kept is not None:
            return from_order_image(kept)
        value: SortValue = kept
        return value


def fields(order_by: Sequence[OrderBy], labels: Mapping[str, int]) -> list[Field]:
    return [_field(f"o{place}", order, labels) for place, order in enumerate(order_by)]


def _field(row: str, order: OrderBy, labels: Mapping[str, int]) -> Field:
    label = labels.get(order.key, NO_LABEL)
    table = TABLES.get(order.entity)
    if table is not None:
        value = f"{row}.o" if table == "latest" else f"{row}.value"
        return Field(row, value, order.descending, table, label)
    if order.entity != "attribute" or order.key not in ATTRIBUTES:
        raise InvalidRequest(f"runs cannot be sorted by {order.entity} {order.key[:64]!a}")
    return Field("r", f"r.{ATTRIBUTES[order.key]}", order.descending, None, NO_LABEL)


def indexed_terms(found: Sequence[Field], rank: int) -> list[Term]:
    """Return how far the index of the first field's values orders the rows of a rank."""
    first, *others = found
    listed = first.terms()[:1] if rank == VALUE else []
    if first.is_metric and not others:
        listed.append(Term(f"{first.row}.start_time", descending=True))
    return listed


def rank_of(value: SortValue) -> int:
    if value is None:
        return MISSING
    return NAN if isinstance(value, float) and math.isnan(value) else VALUE


def terms(
    found: Sequence[Field], rank: int, after: Sequence[SortValue] | None = None
) -> list[Term]:
    """Return what sorts the rows whose first field has `rank`; `after` is a cursor of these."""
    *values, start, ident = after or [None] * (len(found) + 2)
    listed: list[Term] = []
    for place, (field, value) in enumerate(zip(found, values, strict=True)):
        if place:
            listed.append(Term(field.rank, descending=False, after=rank_of(value)))
        if place or rank == VALUE:
            listed += field.terms(value)
    return [
        *listed,
        Term("r.start_time", descending=True, after=start),
        Term("r.id", descending=False, after=ident),
    ]


def sorted_by(listed: Sequence[Term]) -> str:
    return ", ".join(f"{term.expression}{' desc' if term.descending else ''}" for term in listed)


def columns(found: Sequence[Field]) -> str:
    """Return what to select: of the run, of each field its value, then its rank."""
    listed = ["r.run as run", "r.start_time as start_time", "r.id as id"]
    listed += [f"{field.value} as v{place}" for place, field in enumerate(found)]
    listed += [f"{field.rank} as k{place}" for place, field in enumerate(found)]
    return ", ".join(listed)


def merged_by(found: Sequence[Field]) -> str:
    """Return the same order as `sorted_by`, of the columns by their names."""
    listed = []
    for place, field in enumerate(found):
        listed.append(Term(f"k{place}", descending=False))
        listed.append(Term(f"v{place}", descending=field.descending))
    return sorted_by([*listed, Term("start_time", descending=True), Term("id", descending=False)])


def beyond(listed: Sequence[Term]) -> Sql:
    """Return the condition that selects the rows after the cursor in `listed`.

    A missing value is not compared: its rank has been, and within it all are equal.
    """
    first, *others = (term for term in listed if term.after is not None)
    condition = Sql("1 = 0")
    for term in reversed([first, *others]):
        passed = Sql(f"{term.expression} {'<' if term.descending else '>'} ?", (term.after,))
        equal = Sql(f"{term.expression} = ? and ", (term.after,))
        condition = Sql("(") + passed + Sql(" or ") + equal + condition + Sql(")")
    # The same once more, in the form that an index serves.
    bound = Sql(f"{first.expression} {'<=' if first.descending else '>='} ? and ", (first.after,))
    return bound + condition
