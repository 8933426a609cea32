"""An upgrade keeps what is stored, whoever is killed or runs it at the same time.

What the code can upgrade to today is not enough to try: each test adds one more revision.
"""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fixtures.first_schema import DUMP, everything, write
from trackstore.errors import Unsupported
from trackstore.model import SchemaChange
from trackstore.registry import open_backend_store
from trackstore_backends.sql import migrations, schema

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

NEXT = "9999"
REVISION = f'''
"""A revision that makes and fills tables, and that can go on where a killed one ended."""

import sqlalchemy as sa
from alembic import op

from trackstore_backends.sql.migrations.columns import big, index, number, table, text

revision = "{NEXT}"
down_revision = "{schema.REVISIONS[-1]}"


def upgrade() -> None:
    for name in ("next_one", "next_two"):
        table(name, number("run", key=True), text("note", 100), big("size"))
        index(f"{{name}}_by_size", name, ["size", "run"])
        op.execute(sa.text(f"delete from {{name}}"))
        op.execute(sa.text(f"insert into {{name}} select run, id, start_time from runs"))
'''
PROCESSES = 8
FORK = get_context("fork")


def opened_and_filled(url: str) -> str:
    with open_backend_store(url) as store:
        write(store)
    return url


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store with something of everything: in SQLite, as the first schema kept it."""
    if request.param != "sqlite":
        return opened_and_filled(request.getfixturevalue(request.param).fresh())
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.executescript(DUMP.read_text())
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(scope="module")
def expected() -> list[Any]:
    with open_backend_store("memory:") as store:
        write(store)
        return everything(store)


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Code that knows one more revision, and its name."""
    copy = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, copy)
    (copy / "versions" / "r9999_next.py").write_text(REVISION)
    monkeypatch.setattr(migrations, "__file__", str(copy / "__init__.py"))
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, NEXT))
    yield NEXT
    monkeypatch.undo()


def upgrade(url: str) -> SchemaChange:
    with open_backend_store(url) as store:
        return store.upgrade()  # type: ignore[attr-defined]


def rows(url: str, table: str) -> int:
    """Return how many rows a table has."""
    if url.startswith("sqlite"):
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    else:
        scheme, _, rest = url.partition(":")
        drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
        engine = sa.create_engine(f"{drivers[scheme]}:{rest}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.text(f"select count(*) from {table}")).scalar_one())


def test_the_first_schema_is_read_and_upgraded(url: str, expected: list[Any]) -> None:
    """Everything that it keeps comes back, and can be written to."""
    with open_backend_store(url) as store:
        assert everything(store) == expected
    assert upgrade(url).after == schema.REVISIONS[-1]
    with open_backend_store(url) as store:
        assert everything(store) == expected


def test_the_fixture_is_of_the_first_schema() -> None:
    """And stays so when the code goes on."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(DUMP.read_text())
        assert connection.execute("select * from trackstore_version").fetchall() == [("0001",)]


def test_an_upgrade_keeps_everything(url: str, newer: str, expected: list[Any]) -> None:
    """It says from which schema to which, and the next one has nothing to do."""
    assert upgrade(url).after == newer
    assert upgrade(url) == SchemaChange(newer, newer)
    assert rows(url, "next_two") == 12
    with open_backend_store(url) as store:
        assert everything(store) == expected


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked child, for 60 s at most, and return its exit code."""
    child = os.fork()
    if not child:
        code = 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(number: int, url: str) -> bool:
    """Upgrade in a process that is killed before a statement; tell if it got that far."""

    def work() -> None:
        statements = iter(range(number))

        def count(*_: object) -> None:
            if next(statements, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sa.event.listen(sa.Engine, "before_cursor_execute", count)
        upgrade(url)

    code = in_child(work)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_an_upgrade_killed_anywhere_is_done_by_the_next(
    url: str, newer: str, expected: list[Any]
) -> None:
    """Killed before one statement after another, each time on what the last has left."""
    kills = 0
    while killed_at(kills, url):
        kills += 1
    assert kills > 8, "all statements of the revision"
    assert upgrade(url) == SchemaChange(newer, newer)
    assert [rows(url, table) for table in ("next_one", "next_two")] == [12, 12]
    with open_backend_store(url) as store:
        assert everything(store) == expected


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_first_start_killed_anywhere_is_done_by_the_next(
    server: str, request: pytest.FixtureRequest, expected: list[Any]
) -> None:
    """Wherever the making of the tables ends."""
    url = request.getfixturevalue(server).fresh()
    kills = 0
    while killed_at(kills, url):
        kills += 7
    assert kills > 20, "all statements of the first revision"
    opened_and_filled(url)
    with open_backend_store(url) as store:
        assert everything(store) == expected


def take_part(url: str, start: Any, results: Any) -> None:
    start.wait(60)
    try:
        change = upgrade(url)
        results.put((change.before, change.after))
    except BaseException as error:
        results.put(repr(error))
        raise


def test_eight_processes_upgrade_at_once(url: str, newer: str, expected: list[Any]) -> None:
    """All succeed, and one of them did it."""
    start, results = FORK.Barrier(PROCESSES), FORK.Queue()
    racers = [FORK.Process(target=take_part, args=(url, start, results)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    told = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    before = schema.REVISIONS[0] if url.startswith("sqlite") else schema.REVISIONS[-2]
    assert sorted(told) == [(before, newer)] + [(newer, newer)] * (PROCESSES - 1)
    assert rows(url, "next_one") == 12
    with open_backend_store(url) as store:
        assert everything(store) == expected


def test_a_store_newer_than_the_code_is_refused_and_left_alone(url: str) -> None:
    """By every call, with the way out in the message."""
    upgrade(url)
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "REVISIONS", ("0000",))
        with open_backend_store(url) as store:
            for call in (store.upgrade, lambda: store.get_run("r")):  # type: ignore[attr-defined]
                with pytest.raises(Unsupported, match=r"a newer trackstore.*so upgrade"):
                    call()
    assert upgrade(url).before == schema.REVISIONS[-1]
