"""What a search costs: it walks indexes, so that ten times the runs cost about the same."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trackstore.model import (
    Batch,
    Comparison,
    Experiment,
    Metric,
    OrderBy,
    Run,
    RunQuery,
    order_image,
)
from trackstore_backends.sql import search
from trackstore_backends.sqlite import SQLiteBackendStore

SMALL, LARGE = 3_000, 30_000


def metric(key: str, operator: str, value: float) -> Comparison:
    return Comparison("metric", key, operator, value)


def query(*where: Comparison, order: OrderBy | None = None) -> RunQuery:
    return RunQuery(("1",), where, (order,) if order else ())


MODEL = Comparison("param", "model", "=", "model3")
QUERIES = {
    "by start": query(),
    "by start, one filter": query(metric("a", ">", 0.5)),
    "two filters of a tenth each, by a metric": query(
        metric("a", ">", 0.9), MODEL, order=OrderBy("metric", "b", True)
    ),
    "by the filtered metric": query(metric("a", ">", 0.9), order=OrderBy("metric", "a")),
    "by start, a rare filter": query(Comparison("tag", "unique", "=", "name77")),
    "a rare prefix": query(
        Comparison("tag", "unique", "LIKE", "name77_"), order=OrderBy("metric", "b")
    ),
    "a rare id": query(Comparison("attribute", "run_id", "IN", ("7", "8"))),
    "nothing": query(metric("a", ">", 0.1), metric("b", ">", 2), order=OrderBy("metric", "c")),
    "no such key": query(metric("never", ">", 0), MODEL),
}


def filled(folder: Path, runs: int) -> SQLiteBackendStore:
    """Return a store with many alike runs, written behind its back for speed."""
    url = f"sqlite:///{folder}/{runs}.db"
    with SQLiteBackendStore.from_url(url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("first", "1", 0, ""))
        first = Batch([Metric(key, 0.0, 0) for key in "abc"], {"model": ""}, {"unique": ""})
        store.log("first", first)
    rng = random.Random(1)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        labels = dict(connection.execute("select name, label from labels").fetchall())
        numbers = range(2, runs + 2)
        connection.executemany(
            "insert into runs values (?, ?, 1, 0, 'FINISHED', '', ?, null, null, '')",
            ((number, str(number), number) for number in numbers),
        )
        for key in "abc":
            connection.executemany(
                "insert into latest values (?, ?, 1, 0, 0, ?, ?)",
                ((number, labels[key], order_image(rng.random()), number) for number in numbers),
            )
        for table, key, value in (
            ("params", "model", lambda _: f"model{rng.randrange(10)}"),
            ("tags", "unique", lambda number: f"name{number}"),
        ):
            connection.executemany(
                f"insert into {table} values (?, ?, 1, ?)",
                ((number, labels[key], value(number)) for number in numbers),
            )
    connection.close()
    return SQLiteBackendStore.from_url(url)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[SQLiteBackendStore]]:
    folder = tmp_path_factory.mktemp("cost")
    with filled(folder, SMALL) as small, filled(folder, LARGE) as large:
        yield [small, large]


def steps(store: SQLiteBackendStore, search: Callable[[], object]) -> int:
    """Return how many hundred instructions of SQLite's machine a search takes."""
    search()
    connection, taken = store._connections._idle[-1], [0]

    def count() -> int:
        taken[0] += 1
        return 0

    connection.set_progress_handler(count, 100)
    search()
    connection.set_progress_handler(None, 0)
    return taken[0]


@pytest.mark.parametrize("name", QUERIES)
def test_ten_times_the_runs_cost_little_more(
    stores: list[SQLiteBackendStore], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page and the one after it take at most twice the work, and a little."""
    monkeypatch.setattr(search, "FEW", 200)  # so that a tenth is not few in either store
    asked = QUERIES[name]
    costs = []
    for store in stores:
        first = store.search_runs(asked, None, 50)
        pages = [None, first.next] if first.next else [None]
        costs.append(
            max(
                steps(store, lambda store=store, after=after: store.search_runs(asked, after, 50))
                for after in pages
            )
        )
    small, large = costs
    assert large <= 2 * small + 300, costs


def test_a_page_takes_a_constant_number_of_statements(
    stores: list[SQLiteBackendStore],
) -> None:
    """A page of a thousand runs is read by as many statements as one of two."""
    store, counts = stores[0], []
    for limit in (2, 1_000):
        store.search_runs(query(), None, limit)
        traced: list[str] = []
        connection = store._connections._idle[-1]
        connection.set_trace_callback(traced.append)
        assert len(store.search_runs(query(), None, limit).items) == limit
        connection.set_trace_callback(None)
        counts.append(len(traced))
    assert counts[0] == counts[1] <= 16, traced


def test_a_current_schema_imports_no_sqlalchemy(store: SQLiteBackendStore, url: str) -> None:
    """Only a database that needs a migration pays for loading what carries it out."""
    store.create_experiment(Experiment("1", "e", "", 0, 0))
    code = (
        "import sys; from trackstore_backends.sqlite import SQLiteBackendStore as Store; "
        f"print(Store.from_url({url!r}).get_experiment('1').name, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "e False\n"
