"""Where a page of a walk ends, for databases that sort all that they walk.

A walk along an index gives the order of its columns, and ties are ordered by more than those.
Some databases then sort ties alone; others give up the index, and sort all that matches.  For
these the last value of the page is asked for first, by a walk that needs no sorting, and the page
is fetched up to that value.
"""

from collections.abc import Callable, Sequence
from typing import Any

from trackstore_backends.sql.database import Row
from trackstore_backends.sql.fragments import ALWAYS, NEVER, Sql, all_of
from trackstore_backends.sql.ordering import Term

Ask = Callable[[Term, Sql, int], list[Row]]
"""Returns the first values of a term, in its order, of the rows that satisfy a condition."""


def until(terms: Sequence[Term], limit: int, ask: Ask) -> Sql | None:
    """Return what the first `limit` rows satisfy, and few others; None if that are all.

    `terms` are those that an index gives, each in its order for equal ones before it.
    """
    if not terms:
        return None
    found = NEVER
    equal: list[Sql] = []
    for term in terms:
        values = [value for (value,) in ask(term, all_of([ALWAYS, *equal]), limit)]
        if len(values) < limit:
            return found + Sql(" or ") + all_of(equal) if equal else None
        last = values[-1]
        passed = Sql(f"{term.expression} {'>' if term.descending else '<'} ?", (last,))
        found = found + Sql(" or ") + all_of([*equal, passed])
        equal.append(Sql(f"{term.expression} = ?", (last,)))
        limit -= _before(values, last)
    return found + Sql(" or ") + all_of(equal)


def _before(values: Sequence[Any], last: Any) -> int:
    return len(values) - values.count(last)
