"""What a search costs: it walks indexes, so that ten times the runs cost about the same."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from trackstore.model import Experiment
from trackstore_backends.sql import search
from trackstore_backends.sqlite import SQLiteBackendStore
from unit.sql.many_runs import QUERIES, fill, query

SMALL, LARGE = 3_000, 30_000


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[SQLiteBackendStore]]:
    url = f"sqlite:///{tmp_path_factory.mktemp('cost')}"
    with (
        SQLiteBackendStore.from_url(f"{url}/small.db") as small,
        SQLiteBackendStore.from_url(f"{url}/large.db") as large,
    ):
        fill(small, SMALL)
        fill(large, LARGE)
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
