"""Searching runs where they are, with the results of `trackstore.search.search_by_scan`.

A page is found in one of two ways.  If the index of some filter finds few rows, all of them are
fetched and sorted.  Otherwise the index of the order is walked, and each run tested by all
filters, until the page is full.  A bounded count tells which.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trackstore.model import Comparison, LifecycleStage, OrderBy, Page, Run, RunQuery, SearchCursor
from trackstore_backends.sql import bounds, clauses, ordering, reads
from trackstore_backends.sql.clauses import Source
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import (
    ALWAYS,
    NEVER,
    Sql,
    all_of,
    among,
    joined,
    one_of,
    packed,
)
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.ordering import MISSING, VALUE, Field, Term

FEW = 2_000
"""So many rows may be fetched and sorted,"""
SELECTIVE = 4
"""if there are so many times as many runs; else the walk is short."""
MERGED = 20
"""So many experiments are walked side by side; of more, all runs are sorted."""


class _Scope(NamedTuple):
    """Experiments, and what their runs `r` must be."""

    exps: Sequence[int]
    condition: Sql


class _Plan(NamedTuple):
    query: RunQuery
    scopes: Sequence[_Scope]
    labels: Mapping[str, int]
    fields: Sequence[Field]
    ranks: Sequence[int]
    source: Source | None = None
    """The index of a filter, to fetch from; None means to walk that of the order."""


def search_runs(
    session: Session, labels: Labels, query: RunQuery, after: SearchCursor | None, limit: int
) -> Page[Run, SearchCursor]:
    plan = _plan(session, labels, query)
    rows = _rows(session, plan, after, limit + 1)
    runs = reads.get_runs(session, [row[0] for row in rows[:limit]])
    if len(rows) <= limit:
        return Page(runs)
    _, start, ident, *values = rows[limit - 1]
    kept = [field.decoded(value) for field, value in zip(plan.fields, values, strict=False)]
    return Page(runs, (*kept, start, ident))


def _plan(session: Session, labels: Labels, query: RunQuery) -> _Plan:
    keyed: list[Comparison | OrderBy] = [*query.where, *query.order_by]
    known = labels.find(session, {each.key for each in keyed if each.entity in clauses.TABLES})
    fields = ordering.fields(query.order_by, known)
    plan = _Plan(query, _scopes(session, query), known, fields, _ranks(query, fields))
    if NEVER in [clauses.condition(clause, known, "r.run") for clause in query.where]:
        return plan._replace(scopes=[])
    source = _smallest_source(session, plan) if plan.scopes else None
    if source is not None:
        return plan._replace(source=source)
    if sum(len(scope.exps) for scope in plan.scopes) <= MERGED:
        return plan._replace(
            scopes=[_Scope([exp], scope.condition) for scope in plan.scopes for exp in scope.exps]
        )
    return plan


def _scopes(session: Session, query: RunQuery) -> list[_Scope]:
    """Return the experiments of a query, in at most two groups.

    All runs of a deleted experiment are deleted, whatever their own stage.
    """
    rows = session.rows(
        f"select exp, deleted from experiments where {among('id')}", (packed(query.experiment_ids),)
    )
    active, deleted = ([exp for exp, is_deleted in rows if is_deleted == stage] for stage in (0, 1))
    if query.stage is None:
        scopes = [_Scope(active + deleted, ALWAYS)]
    elif query.stage is LifecycleStage.ACTIVE:
        scopes = [_Scope(active, Sql("r.deleted = 0"))]
    else:
        scopes = [_Scope(active, Sql("r.deleted = 1")), _Scope(deleted, ALWAYS)]
    return [scope for scope in scopes if scope.exps]


def _ranks(query: RunQuery, fields: Sequence[Field]) -> Sequence[int]:
    """Return the ranks that the first field can have, given the filters."""
    if not fields:
        return (VALUE,)
    exists = any(_is_of(clause, query) and clause.operator != "IS NULL" for clause in query.where)
    return [rank for rank in fields[0].ranks if rank != MISSING or not exists]


def _smallest_source(session: Session, plan: _Plan) -> Source | None:
    """Return the index of the filter that finds the fewest rows, if they are few."""
    least, smallest = FEW + 1, None
    for clause in plan.query.where:
        source = clauses.source(clause, plan.labels)
        if source is not None and not _is_walked(clause, plan.query):
            count = _bounded_count(session, plan, source, least)
            if count < least:
                least, smallest = count, source
    if smallest is None:
        return None
    runs = _bounded_count(session, plan, Source("runs", ALWAYS), least * SELECTIVE)
    return smallest if runs == least * SELECTIVE else None


def _bounded_count(session: Session, plan: _Plan, source: Source, bound: int) -> int:
    """Return how many rows a source finds, or `bound` if it finds more."""
    exps = [exp for scope in plan.scopes for exp in scope.exps]
    some = Sql(f"select 1 from {source.table} f where ") + one_of(source.exp, exps)
    sql = Sql("select count(*) from (") + some + Sql(" and ") + source.condition
    ((count,),) = session.rows(*sql + Sql(" limit ?) counted", (bound,)))
    found: int = count
    return found


def _rows(session: Session, plan: _Plan, after: SearchCursor | None, limit: int) -> list[Row]:
    """Return (run, start time, id, value of each field, ...) of the rows of a page."""
    begin = ordering.rank_of(after[0]) if after and plan.fields else VALUE
    rows: list[Row] = []
    for rank in plan.ranks:
        if rank >= begin and len(rows) < limit and plan.scopes:
            cursor = after if rank == begin else None
            rows += session.rows(*_statement(session, plan, rank, cursor, limit - len(rows)))
    return rows


def _statement(
    session: Session, plan: _Plan, rank: int, after: SearchCursor | None, limit: int
) -> Sql:
    terms = ordering.terms(plan.fields, rank, after)
    # Of several bounds on what it walks, SQLite takes the first; this is mostly the nearest.
    passed = [ordering.beyond(terms)] if after else []
    arms = []
    for scope in plan.scopes:
        found = [*passed, *_conditions(plan, scope, rank)]
        if not session.sorts_only_ties and _walks_field(plan, rank):
            found += _up_to_the_last(session, plan, rank, found, limit)
        arms.append(_select(plan, rank, ordering.columns(plan.fields), found, terms, limit))
    if len(arms) == 1:
        return arms[0]
    merged = joined(
        " union all ",
        (Sql("select * from (") + arm + Sql(f") a{place}") for place, arm in enumerate(arms)),
    )
    return merged + Sql(f" order by {ordering.merged_by(plan.fields)} limit ?", (limit,))


def _select(  # noqa: PLR0917 - the parts of a statement, in its order
    plan: _Plan,
    rank: int,
    columns: str,
    conditions: Sequence[Sql],
    terms: Sequence[Term],
    limit: int,
) -> Sql:
    return (
        Sql(f"select {columns} from ")
        + _tables(plan, rank)
        + Sql(" where ")
        + all_of(conditions)
        + Sql(f" order by {ordering.sorted_by(terms)} limit ?", (limit,))
    )


def _up_to_the_last(
    session: Session, plan: _Plan, rank: int, found: Sequence[Sql], limit: int
) -> list[Sql]:
    """Return the condition that ends a walk where the page does, if there is more than a page."""

    def ask(term: Term, condition: Sql, most: int) -> list[Row]:
        wanted = _select(plan, rank, term.expression, [*found, condition], [term], most)
        return session.rows(*wanted)

    bound = bounds.until(ordering.indexed_terms(plan.fields, rank), limit, ask)
    return [] if bound is None else [Sql("(") + bound + Sql(")")]


def _walks_field(plan: _Plan, rank: int) -> bool:
    """Tell whether the walk is along the values of the first field, else along the runs."""
    is_keyed = bool(plan.fields) and plan.fields[0].table is not None
    return plan.source is None and is_keyed and rank != MISSING


def _tables(plan: _Plan, rank: int) -> Sql:
    """Name the tables, in the order in which they are to be read."""
    joins = [field.join for field in plan.fields]
    if plan.source is not None:
        return Sql(f"{plan.source.table} f cross join runs r") + joined("", joins)
    if _walks_field(plan, rank):
        return Sql(f"{plan.fields[0].table} o0 cross join runs r") + joined("", joins[1:])
    return Sql("runs r") + joined("", joins)


def _conditions(plan: _Plan, scope: _Scope, rank: int) -> list[Sql]:
    found, run = [scope.condition], "r.run"
    walks = _walks_field(plan, rank)
    if plan.source is not None:
        run = "f.run"
        found += [one_of(plan.source.exp, scope.exps), plan.source.condition, Sql("r.run = f.run")]
    elif walks:
        run = "o0.run"
        label = Sql("o0.label = ?", (plan.fields[0].label,))
        found += [one_of("o0.exp", scope.exps), label, Sql("r.run = o0.run")]
    else:
        found.append(one_of("r.exp", scope.exps))
    for clause in plan.query.where:
        if walks and _is_of(clause, plan.query) and clause.operator != "IS NULL":
            found.append(clauses.tested(clause, "o0"))
        else:
            found.append(clauses.condition(clause, plan.labels, run))
    if plan.fields:
        found.append(plan.fields[0].has_rank(rank))
    return found


def _is_of(clause: Comparison, query: RunQuery) -> bool:
    """Tell whether a clause is about the first field of the order."""
    order = query.order_by
    return bool(order) and (clause.entity, clause.key) == (order[0].entity, order[0].key)


def _is_walked(clause: Comparison, query: RunQuery) -> bool:
    """Tell whether a walk along the order reads what the index of a clause finds, and no more."""
    return clause.entity == "metric" and _is_of(clause, query)
