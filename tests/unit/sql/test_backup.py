"""The backups of `docs/operations.md` hold all that was acknowledged, while servers run."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.first_schema import everything, run_id, write
from provision.databases import DatabaseServer
from provision.mariadb import find_program
from trackstore.model import Batch, Metric
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

BUSY = run_id(4)
ENOUGH = 20
BackUp = Callable[[], Callable[[], str]]
"""Takes a backup, and returns what restores it and returns the URL of the new store."""


@contextmanager
def writing(store: BackendStore) -> Iterator[list[int]]:
    """Log a point and a param after the other until the end; yield the acknowledged steps."""
    done, enough, steps = Event(), Event(), list[int]()

    def work() -> None:
        while not done.is_set():
            step = len(steps)
            store.log(BUSY, Batch([Metric("busy", 0.5, 0, step)], {f"p{step}": "x"}))
            steps.append(step)
            if len(steps) == ENOUGH:
                enough.set()

    writer = Thread(target=work)
    writer.start()
    try:
        assert enough.wait(60)
        yield steps
    finally:
        done.set()
        writer.join()


def sqlite_file(folder: Path) -> tuple[str, BackUp]:
    def back_up() -> Callable[[], str]:
        with (  # what `sqlite3 FILE ".backup COPY"` does
            closing(sqlite3.connect(folder / "store.db")) as source,
            closing(sqlite3.connect(folder / "copy.db")) as copy,
        ):
            source.backup(copy)
        return lambda: f"sqlite:///{folder}/copy.db"

    return f"sqlite:///{folder}/store.db", back_up


def postgres_database(folder: Path, server: DatabaseServer) -> tuple[str, BackUp]:
    url, copy = server.fresh(), str(folder / "copy.dump")

    def back_up() -> Callable[[], str]:
        subprocess.run([server.program("pg_dump"), "-Fc", "-f", copy, url], check=True)  # type: ignore[attr-defined]
        return restore

    def restore() -> str:
        new = server.fresh()
        program = server.program("pg_restore")  # type: ignore[attr-defined]
        subprocess.run([program, "--no-owner", "-d", new, copy], check=True)
        return new

    return url, back_up


def mariadb_database(folder: Path, server: DatabaseServer) -> tuple[str, BackUp]:
    url, copy = server.fresh(), folder / "copy.sql"
    login = f"-h127.0.0.1 -P{server.port} -ut -pt --default-character-set=utf8mb4".split()

    def back_up() -> Callable[[], str]:
        database = urlsplit(url).path[1:]
        with copy.open("wb") as file:
            dump = [find_program("mariadb-dump"), *login, "--single-transaction", database]
            subprocess.run(dump, stdout=file, check=True)
        return restore

    def restore() -> str:
        new = server.fresh()
        with copy.open("rb") as file:
            client = [find_program("mariadb"), *login, urlsplit(new).path[1:]]
            subprocess.run(client, stdin=file, check=True)
        return new

    return url, back_up


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, BackUp]:
    if request.param == "sqlite":
        return sqlite_file(tmp_path)
    make = {"postgres": postgres_database, "mariadb": mariadb_database}[request.param]
    return make(tmp_path, request.getfixturevalue(request.param))


def all_but_busy(store: BackendStore) -> list[Any]:
    """Return all that a store shows, but for the run that is written to."""
    found = everything(store)
    place = next(place for place, each in enumerate(found) if f"'{BUSY}'" in repr(each))
    return found[:place] + found[place + 2 :]  # the run, and its histories


def test_a_backup_is_one_instant_and_holds_what_was_acknowledged(kept: tuple[str, BackUp]) -> None:
    """Taken while a writer is at work: every batch is there whole or not at all, in order."""
    url, back_up = kept
    with open_backend_store(url) as store:
        write(store)
        before = all_but_busy(store)
        with writing(store) as steps:
            acknowledged = len(steps)
            restore = back_up()
        with open_backend_store(restore()) as copy:
            run = copy.get_run(BUSY)
            points = copy.metric_history(BUSY, "busy", None, 25_000).items
            held = [point.step for point in points]
            assert held == list(range(len(held)))
            assert acknowledged <= len(held) <= len(steps)
            assert {key for key in run.params if key[0] == "p"} == {f"p{step}" for step in held}
            assert all_but_busy(copy) == before
            copy.log(BUSY, Batch([Metric("busy", 1.0, 1, -1)]))
