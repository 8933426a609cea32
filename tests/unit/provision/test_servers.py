"""The servers that tests run against are real, are our own, and end with the tests."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from provision.databases import DatabaseHarness, DatabaseServer
from provision.fixtures import started
from provision.mariadb import MariaDB
from provision.postgres import PostgreSQL
from provision.processes import free_port, is_alive, is_reachable, listening_addresses, wait_for

Ask = Callable[[str, str], list[tuple[object, ...]]]
"""Runs statements in the database of a URL, and returns the rows of the last."""


def ask_postgres(url: str, statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        cursor = connection.execute(statements)
        while cursor.nextset():
            pass
        return cursor.fetchall()


def ask_mariadb(url: str, statements: str) -> list[tuple[object, ...]]:
    parts = urlsplit(url)
    with (
        pymysql.connect(
            host=parts.hostname or "",
            port=parts.port or 0,
            user=parts.username,
            password=parts.password or "",
            database=parts.path[1:],
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements.split(";"):
            cursor.execute(statement)
        return list(cursor.fetchall())


KINDS = {
    "postgres": (PostgreSQL, ask_postgres),
    "postgres15": (PostgreSQL, ask_postgres, "15"),
    "mariadb": (MariaDB, ask_mariadb),
}


@pytest.fixture(params=KINDS)
def shared(request: pytest.FixtureRequest) -> tuple[DatabaseServer, Ask]:
    return request.getfixturevalue(request.param), KINDS[request.param][1]


@pytest.fixture(params=KINDS)
def durable(request: pytest.FixtureRequest) -> Iterator[tuple[DatabaseServer, Ask]]:
    kind, ask, *args = KINDS[request.param]
    for server in started(kind, *args, durable=True):
        yield server, ask


def test_a_killed_server_starts_again_with_what_was_committed(
    durable: tuple[DatabaseServer, Ask],
) -> None:
    """At the same URL, and what was not committed is gone."""
    server, ask = durable
    url = server.fresh()
    ask(url, "create table t (a int primary key); insert into t values (1); select 1")
    pid = server.pid
    server.kill()
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", server.port)),
    ):
        pass
    server.start()
    assert server.pid != pid
    assert ask(url, "insert into t values (2); select a from t order by a") == [(1,), (2,)]


def test_a_server_that_was_stopped_starts_again(durable: tuple[DatabaseServer, Ask]) -> None:
    """In good order, with a client connected."""
    server, ask = durable
    url = server.fresh()
    ask(url, "create table t (a int primary key); select 1")
    server.stop()
    server.start()
    assert ask(url, "select * from t") == []


def test_what_is_committed_outlives_a_kill_of_a_fast_server(
    shared: tuple[DatabaseServer, Ask],
) -> None:
    """What it saves is only needed when the machine fails."""
    server, ask = shared
    url = server.fresh()
    ask(url, "create table t (a int primary key); select 1")
    for number in range(20):
        ask(url, f"insert into t values ({number}); select 1")
    server.kill()
    server.start()
    assert ask(url, "select count(*) from t") == [(20,)]


def test_only_this_machine_can_reach_it(shared: tuple[DatabaseServer, Ask]) -> None:
    """It listens at the one port of its URLs, on loopback."""
    server, _ = shared
    assert listening_addresses(server.pid) == {("127.0.0.1", server.port)}


def test_it_is_not_root(shared: tuple[DatabaseServer, Ask]) -> None:
    """PostgreSQL refuses to be, and a cluster of MariaDB fails as it."""
    assert Path(f"/proc/{shared[0].pid}").stat().st_uid != 0


def test_each_place_of_the_suite_is_a_database(
    shared: tuple[DatabaseServer, Ask], tmp_path: Path
) -> None:
    """Which is empty at first, and gone when the test has ended."""
    server, ask = shared
    places = DatabaseHarness(server).places(tmp_path)
    first, second = next(places), next(places)
    ask(first.url, "create table t (a int); select 1")
    ask(second.url, "create table t (a int); select 1")
    assert first.untouched
    assert urlsplit(first.url).path == f"/{first.name}"
    first.clear()
    assert ask(second.url, "select * from t") == []
    with pytest.raises((psycopg.OperationalError, pymysql.OperationalError)):
        ask(first.url, "select 1")


def test_listening_addresses_tells_loopback_from_all() -> None:
    """Otherwise the check at each start would be none."""
    port = free_port()
    with (
        socket.create_server(("0.0.0.0", port)),
        socket.create_server(("::1", port), family=socket.AF_INET6),
    ):
        assert {("0.0.0.0", port), ("::1", port)} <= listening_addresses(os.getpid())


OWNER = """
import sys
from provision.postgres import PostgreSQL
with PostgreSQL() as server:
    print(server.pid, server.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
@pytest.mark.usefixtures("postgres")
def test_a_server_ends_with_the_process_that_started_it(end: int) -> None:
    """Also if that is killed; and nothing of it stays on the disk."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with owner:
        assert owner.stdout
        pid, folder = owner.stdout.readline().decode().split()
        assert is_alive(int(pid))
        owner.send_signal(end)
    wait_for(lambda: not Path(folder).exists(), 30, lambda: f"{folder} is still there")
    wait_for(lambda: not is_alive(int(pid)), 30, lambda: f"{pid} is still there")


def test_a_server_that_is_not_installed_is_a_skip_that_says_how_to_install_it() -> None:
    """Under CI every skip that is not expected is a failure: see the conftest at the top."""
    with pytest.raises(pytest.skip.Exception, match="PostgreSQL 9 is not installed: apt-get"):
        next(started(PostgreSQL, "9"))


@pytest.mark.usefixtures("postgres")
def test_programs_that_nobody_may_read_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a virtual environment in the home of root."""
    monkeypatch.setattr("provision.postgres.is_reachable", lambda _: False)
    with PostgreSQL() as server:
        program = Path(f"/proc/{server.pid}/exe").readlink()
        assert program.is_relative_to(server.folder)


def test_a_folder_that_only_its_owner_may_enter_is_not_reachable(tmp_path: Path) -> None:
    """For an account that is not the owner."""
    inside = tmp_path / "closed" / "inside"
    inside.mkdir(parents=True)
    inside.parent.chmod(0o700)
    assert is_reachable(inside) == (os.geteuid() != 0)
    assert is_reachable(Path("/usr/bin"))
