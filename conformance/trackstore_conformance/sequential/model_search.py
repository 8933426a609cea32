"""What a search must find, and in which order: the model's own reading of the contract."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cmp_to_key
from operator import ge, gt, le, lt

from trackstore.model import Comparison, OrderBy, Run, RunQuery, SearchCursor, SortValue

Number = tuple[int, float]
"""A double in the order NaN < -inf < ... < inf, where every NaN is the same."""
Value = str | int | float
VALUE, NAN, MISSING = range(3)
NUMERIC: Mapping[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def number(value: float) -> Number:
    return (0, 0.0) if value != value else (1, value)


def search_order(runs: Iterable[Run], query: RunQuery) -> list[Run]:
    """Return the runs that satisfy every clause, in the query's order."""
    found = [run for run in runs if all(holds(run, clause) for clause in query.where)]

    def in_order(a: Run, b: Run) -> int:
        return compare(cursor_of(a, query.order_by), cursor_of(b, query.order_by), query.order_by)

    return sorted(found, key=cmp_to_key(in_order))


def rows_after(
    runs: Sequence[Run], order_by: Sequence[OrderBy], after: SearchCursor | None
) -> list[Run]:
    if after is None:
        return list(runs)
    return [run for run in runs if compare(cursor_of(run, order_by), after, order_by) > 0]


def cursor_of(run: Run, order_by: Sequence[OrderBy]) -> SearchCursor:
    """Return what a page that ends at this run gives as its `next`."""
    found = [values_of(run, order.entity, order.key) for order in order_by]
    values = [plain(each[0]) if each else None for each in found]
    return *values, run.start_time, run.id


def plain(value: Value) -> Value:
    """Return a status as the text that it is."""
    return str(value) if isinstance(value, str) else value


def compare(a: SearchCursor, b: SearchCursor, order_by: Sequence[OrderBy]) -> int:
    """Return under 0 if `a` comes first: by its fields, then newest first, then by id."""
    for mine, theirs, order in zip(a, b, order_by, strict=False):
        if kind(mine) != kind(theirs):
            return kind(mine) - kind(theirs)
        if kind(mine) == VALUE and mine != theirs:
            first = mine < theirs  # type: ignore[operator]  # of one type, by the field
            return -1 if first != order.descending else 1
    (my_start, my_id), (their_start, their_id) = a[-2:], b[-2:]
    if my_start != their_start:
        return -1 if my_start > their_start else 1  # type: ignore[operator]
    return (my_id > their_id) - (my_id < their_id)  # type: ignore[operator]


def kind(value: SortValue) -> int:
    if value is None:
        return MISSING
    return NAN if value != value else VALUE


def values_of(run: Run, entity: str, key: str) -> list[Value]:
    """Return the values of a field: none, one, or one for each dataset that was read."""
    if entity == "dataset":
        if key == "context":
            tags = [used.tags for used in run.inputs]
            return [each["mlflow.data.context"] for each in tags if "mlflow.data.context" in each]
        return [getattr(used.dataset, key) for used in run.inputs]
    if entity == "attribute":
        value = run.id if key == "run_id" else getattr(run, key)
        return [] if value is None else [value]
    if entity == "metric":
        return [run.metrics[key].value] if key in run.metrics else []
    held = run.params if entity == "param" else run.tags
    return [held[key]] if key in held else []


def holds(run: Run, clause: Comparison) -> bool:
    values = values_of(run, clause.entity, clause.key)
    if clause.operator == "IS NULL":
        return not values
    if clause.operator == "IS NOT NULL":
        return bool(values)
    return any(satisfies(value, clause.operator, clause.value) for value in values)


def satisfies(value: Value, operator: str, wanted: object) -> bool:
    match operator, value, wanted:
        case "=", _, _:
            return value == wanted
        case "!=", _, _:
            return value != wanted
        case "IN", str(), tuple():
            return value in wanted
        case "NOT IN", str(), tuple():
            return value not in wanted
        case "LIKE", str(), str():
            return like(value, wanted)
        case "ILIKE", str(), str():
            return like(fold(value), fold(wanted))
        case "<" | "<=" | ">" | ">=", int() | float(), int() | float():
            return NUMERIC[operator](value, wanted)
    raise AssertionError(f"no query has {operator} between {value!r} and {wanted!r}")


def like(text: str, pattern: str) -> bool:
    """Follow every place of `text` that the pattern so far can have reached."""
    places = {0}
    for mark in pattern:
        if mark == "%":
            places = set(range(min(places), len(text) + 1)) if places else places
        else:
            places = {p + 1 for p in places if p < len(text) and mark in {"_", text[p]}}
    return len(text) in places


def fold(text: str) -> str:
    """Return the text with A to Z as a to z, and every other letter as it is."""
    return "".join(chr(ord(mark) + 32) if "A" <= mark <= "Z" else mark for mark in text)
