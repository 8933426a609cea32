"""How the servers carry out a search: they visit few rows, and read no table from end to end."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from provision.databases import DatabaseServer
from trackstore.registry import open_backend_store
from trackstore_backends.mysql import MySQLBackendStore
from trackstore_backends.postgres import PostgresBackendStore, PostgresSession
from trackstore_backends.sql import search
from trackstore_backends.sql.store import SQLBackendStore
from unit.sql.many_runs import QUERIES, fill

RUNS = 30_000
MOST = 25_000
"""Rows that a page of 50 runs may visit.

Where two filters keep a tenth each, 5,000 runs are walked, each is looked for in both indexes, and
in the table of runs; MariaDB walks twice, first to see how far.
"""


@pytest.fixture(scope="module")
def on_postgres(postgres: DatabaseServer) -> Iterator[PostgresBackendStore]:
    with open_backend_store(postgres.fresh()) as store:
        assert isinstance(store, PostgresBackendStore)
        fill(store, RUNS)
        store._connections.write(lambda session: session.run("analyze"))
        yield store


@pytest.fixture(scope="module")
def on_mariadb(mariadb: DatabaseServer) -> Iterator[MySQLBackendStore]:
    with open_backend_store(mariadb.fresh()) as store:
        assert isinstance(store, MySQLBackendStore)
        fill(store, RUNS)
        yield store


def pages(store: SQLBackendStore, name: str) -> Iterator[Callable[[], object]]:
    """Yield what reads the first page of a query, and the one after it."""
    asked = QUERIES[name]
    first = store.search_runs(asked, None, 50)
    yield lambda: store.search_runs(asked, None, 50)
    if first.next:
        yield lambda: store.search_runs(asked, first.next, 50)


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Scan" in plan["Node Type"]:
        yield plan
    for part in plan.get("Plans", ()):
        yield from scans(part)


@pytest.mark.parametrize("name", QUERIES)
def test_postgres_walks_indexes(
    on_postgres: PostgresBackendStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No statement of a search scans a table, and all together visit few rows."""
    monkeypatch.setattr(search, "FEW", 200)
    plans: list[dict[str, Any]] = []
    rows = PostgresSession.rows

    def explained(session: PostgresSession, sql: str, values: Any = ()) -> Any:
        ((found,),) = rows(session, f"explain (analyze, timing off, format json) {sql}", values)
        plans.append(found[0] if isinstance(found, list) else json.loads(found)[0])
        return rows(session, sql, values)

    for read in pages(on_postgres, name):
        plans.clear()
        with monkeypatch.context() as patched:
            patched.setattr(PostgresSession, "rows", explained)
            read()
        nodes = [node for plan in plans for node in scans(plan["Plan"])]
        read_whole = {n["Relation Name"] for n in nodes if n["Node Type"] == "Seq Scan"}
        assert read_whole <= {"experiments", "labels"}, plans
        visited = sum(
            n["Actual Loops"] * (n["Actual Rows"] + n.get("Rows Removed by Filter", 0))
            for n in nodes
        )
        assert visited <= MOST, (visited, plans)


@pytest.mark.parametrize("name", QUERIES)
def test_mariadb_walks_indexes(
    on_mariadb: MySQLBackendStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All statements of a search together visit few rows, and none is read without an index."""
    monkeypatch.setattr(search, "FEW", 200)
    for read in pages(on_mariadb, name):
        connection: Any = on_mariadb._connections._idle[-1]
        before = handler_reads(connection)
        read()
        counts = {key: count - before[key] for key, count in handler_reads(connection).items()}
        assert sum(counts.values()) <= MOST, counts


def handler_reads(connection: Any) -> dict[str, int]:
    """Return how many rows a session has read so far, by the way in which it read them."""
    with connection.cursor() as cursor:
        cursor.execute("show session status like 'Handler_read%'")
        return {key: int(count) for key, count in cursor.fetchall()}
