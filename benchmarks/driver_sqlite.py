"""SQLite, by Python's own module, with synchronous=FULL."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from driver import Point

SCHEMA = """
create table if not exists points (run int, label int, step int, ts int, o int,
    primary key (run, label, step, ts, o)) without rowid;
create table if not exists params (run int, label int, exp int, value text,
    primary key (run, label)) without rowid;
create index if not exists params_by_value on params (exp, label, substr(value, 1, 250), run);
create table if not exists tags (run int, label int, exp int, value text,
    primary key (run, label)) without rowid;
create index if not exists tags_by_value on tags (exp, label, substr(value, 1, 250), run);
create table if not exists runs (run integer primary key, id text unique, exp int, status text,
    start_time int, end_time int);
create index if not exists runs_by_start on runs (exp, start_time desc);
"""


class SQLiteDriver:
    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(SCHEMA)

    def add_point(self, run: int, step: int) -> None:
        self._connection.execute("insert into points values (?, 1, ?, ?, 5)", (run, step, step))

    def add_points(self, points: Sequence[Point]) -> None:
        self._connection.execute("begin immediate")
        self._connection.executemany("insert into points values (2, ?, ?, 1, ?)", points)
        self._connection.execute("commit")

    def add_params_and_tags(self, run: int, values: Sequence[str]) -> None:
        rows = [(run, label, value) for label, value in enumerate(values)]
        self._connection.execute("begin immediate")
        self._connection.executemany("insert into params values (?, ?, 1, ?)", rows)
        self._connection.executemany("insert into tags values (?, ?, 1, ?)", rows)
        self._connection.execute("commit")

    def create_and_finish(self, number: int) -> None:
        self._connection.execute("begin immediate")
        self._connection.execute(
            "insert into runs values (?, ?, 1, 'RUNNING', ?, null)",
            (number, f"{number:032x}", number),
        )
        self._connection.execute("insert into tags values (?, -1, 1, 'r')", (number,))
        self._connection.execute("commit")
        self._connection.execute(
            "update runs set status = 'FINISHED', end_time = 2 where run = ?", (number,)
        )

    def close(self) -> None:
        self._connection.close()
