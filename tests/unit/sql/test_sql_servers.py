"""What only stores behind a database server can do wrong: URLs, pools, refusals, restarts."""

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from provision.databases import DatabaseServer
from provision.mariadb import MariaDB
from trackstore.errors import (
    BackendError,
    InvalidRequest,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.model import Batch, Experiment, LifecycleStage, Metric, Run, RunChanges
from trackstore.registry import open_backend_store
from trackstore_backends.sql.database import Lost
from trackstore_backends.sql.store import SQLBackendStore


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    return request.getfixturevalue(request.param)


@pytest.fixture
def url(server: DatabaseServer) -> str:
    return server.fresh()


def refusal(url: str) -> TrackstoreError:
    """Return how the first call on a store fails."""
    with open_backend_store(url) as store, pytest.raises(TrackstoreError) as raised:
        store.get_experiment("1")
    return raised.value


def with_parts(url: str, **parts: str) -> str:
    return urlsplit(url)._replace(**parts).geturl()


def test_a_database_that_is_not_there(url: str) -> None:
    """The error says to create it, and nothing of the URL."""
    error = refusal(with_parts(url, path="/nowhere"))
    assert type(error) is BackendError
    assert "create it" in str(error)


def test_a_server_that_is_not_there(url: str) -> None:
    """It is unavailable, nothing was written, and no address is told."""
    netloc = urlsplit(url).netloc.rpartition(":")[0] + ":1"
    error = refusal(with_parts(url, netloc=netloc))
    assert isinstance(error, Unavailable)
    assert error.outcome == "none"
    assert "127.0.0.1" not in str(error)


def test_a_wrong_user(mariadb: DatabaseServer) -> None:
    """A wrong password is `PermissionDenied`, and is in no message."""
    url = mariadb.fresh()
    port = urlsplit(url).port
    error = refusal(with_parts(url, netloc=f"t:s3cret@127.0.0.1:{port}"))
    assert isinstance(error, PermissionDenied)
    assert "s3cret" not in f"{error!r} {error}"


@pytest.mark.parametrize(
    "query", ["pool_size=0", "pool_size=many", "timeout=-1", "unknown_option=1", "=", "a"]
)
def test_options_that_are_none(server: DatabaseServer, query: str) -> None:
    """An option that is unknown, or no number, is refused when the store is opened."""
    with pytest.raises(InvalidRequest) as raised:
        open_backend_store(f"{server.url('any')}?{query}")
    assert "127.0.0.1" not in str(raised.value)


def test_no_secret_is_shown(server: DatabaseServer) -> None:
    """Neither the store nor its parts show the password."""
    port = urlsplit(server.url("any")).port
    scheme = urlsplit(server.url("any")).scheme
    store = open_backend_store(f"{scheme}://user:s3cret@127.0.0.1:{port}/any")
    assert "s3cret" not in f"{store!r} {vars(store)!r}"


def test_a_pool_that_is_used_up(url: str) -> None:
    """Who waits for a connection for too long is told so; afterwards all goes on."""
    with open_backend_store(f"{url}?pool_size=1&pool_timeout=0.1") as store:
        assert isinstance(store, SQLBackendStore)
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        inside, done = threading.Event(), threading.Event()

        def read(_: object) -> None:
            inside.set()
            done.wait()

        thread = threading.Thread(target=lambda: store._connections.read(read))
        thread.start()
        inside.wait()
        with pytest.raises(Unavailable, match="all 1 connections"):
            store.get_experiment("1")
        done.set()
        thread.join()
        assert store.get_experiment("1").name == "e"


def test_a_database_with_a_latin1_default(mariadb: MariaDB) -> None:
    """Texts are exact whatever the database's own character set and collation are."""
    mariadb._admin("create database latin1 character set latin1 collate latin1_general_ci")
    names = ["a", "A", "a ", "\u00e1", "\U0001f4a5", "\u6587"]
    with open_backend_store(mariadb.url("latin1")) as store:
        for number, name in enumerate(names):
            store.create_experiment(Experiment(str(number), name, "", 0, 0, tags={name: name}))
        found = [store.find_experiment(name) for name in names]
        assert [(each.name, each.tags) for each in found] == [(n, {n: n}) for n in names]


def test_a_database_of_another_program(url: str) -> None:
    """Tables of MLflow, say, are left alone."""
    with open_backend_store(url) as store:
        assert isinstance(store, SQLBackendStore)
        run_alone(store, "create table experiments (experiment_id integer)")
    assert isinstance(error := refusal(url), Unsupported)
    assert "another program" in str(error)


def test_a_database_of_a_newer_version(url: str) -> None:
    """It is refused, and nothing is changed."""
    with open_backend_store(url) as store:
        assert isinstance(store, SQLBackendStore)
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        run_alone(store, "update trackstore_version set version_num = '9999'")
    assert isinstance(error := refusal(url), Unsupported)
    assert "newer" in str(error)


def run_alone(store: SQLBackendStore, sql: str) -> None:
    database = store._connections.database
    connection = database.connect(writes=True)
    database.begin_write(connection)
    database.session(connection).run(sql)
    database.commit(connection)
    connection.close()


def test_an_idle_connection_that_was_ended(url: str, server: DatabaseServer) -> None:
    """A restart of the server between two calls costs no error."""
    with open_backend_store(url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
        store.log("r", Batch([Metric("m", 1.0, 0, 0)]))
        server.stop()
        server.start()
        assert store.get_run("r").metrics["m"].value == 1.0
        store.log("r", Batch([Metric("m", 2.0, 0, 1)]))


def test_a_lost_reply_before_a_deletion(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that may be stored are not said to be refused, though their run is deleted now."""
    with open_backend_store(url) as store, open_backend_store(url) as other:
        assert isinstance(store, SQLBackendStore)
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
        store.log("r", Batch([Metric("m", 1.0, 0, 0)]))  # from now on the key is known
        database: Any = store._connections.database
        add_points = database.add_points

        deletion = RunChanges(lifecycle_stage=LifecycleStage.DELETED)

        def lost_once(*arguments: Any, **named: Any) -> Any:
            found = add_points(*arguments, **named)
            if other.get_run("r").lifecycle_stage is LifecycleStage.DELETED:
                return found
            other.update_run("r", deletion)
            raise Lost("the reply was lost", outcome="unknown")

        monkeypatch.setattr(database, "add_points", lost_once)
        with pytest.raises(Unavailable) as raised:
            store.log("r", Batch([Metric("m", 1.0, 0, 1)]))
        assert raised.value.outcome == "unknown"
        assert [point.step for point in other.metric_history("r", "m", None, 9).items] == [0, 1]


def test_a_server_that_is_killed_under_load(durable: Callable[[], DatabaseServer]) -> None:
    """No point that was acknowledged is lost, and the writers go on once it is back."""
    server = durable()
    with open_backend_store(f"{server.fresh()}?connect_timeout=2") as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
        acknowledged: list[tuple[int, int]] = []
        errors: list[TrackstoreError] = []
        stop = threading.Event()

        def write(client: int) -> None:
            step = 0
            while not stop.is_set():
                try:
                    store.log("r", Batch([Metric(f"m{client}", 1.0, 0, step)]))
                except Unavailable as error:
                    errors.append(error)
                    stop.wait(0.05)
                else:
                    acknowledged.append((client, step))
                step += 1

        clients = [threading.Thread(target=write, args=(client,)) for client in range(4)]
        for client in clients:
            client.start()
        wait_until(lambda: len(acknowledged) > 100)
        server.kill()
        wait_until(lambda: len(errors) > 0)
        server.start()
        count = len(acknowledged)
        wait_until(lambda: len(acknowledged) > count + 100)
        stop.set()
        for client in clients:
            client.join()
        for client in range(4):
            page = store.metric_history("r", f"m{client}", None, 100_000)
            steps = [point.step for point in page.items]
            assert {step for who, step in acknowledged if who == client} <= set(steps)
            assert len(steps) == len(set(steps))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait, for a minute at most."""
    waiting = threading.Event()
    for _ in range(1_200):
        if condition():
            return
        waiting.wait(0.05)
    pytest.fail("it did not happen within a minute")
