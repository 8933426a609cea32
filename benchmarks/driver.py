"""The same rows written by SQLite's driver alone: as fast as the database could be.

The tables are clustered and indexed as trackstore's are; nothing is checked, looked up or
validated, and every transaction is committed with synchronous=FULL.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

SCHEMA = """
create table points (run int, label int, step int, ts int, o int,
    primary key (run, label, step, ts, o)) without rowid;
create table params (run int, label int, exp int, value text,
    primary key (run, label)) without rowid;
create index params_by_value on params (exp, label, substr(value, 1, 250), run);
create table tags (run int, label int, exp int, value text,
    primary key (run, label)) without rowid;
create index tags_by_value on tags (exp, label, substr(value, 1, 250), run);
create table runs (run integer primary key, id text unique, exp int, status text,
    start_time int, end_time int);
create index runs_by_start on runs (exp, start_time desc);
"""


class Driver:
    """A connection of Python's own module."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(SCHEMA)

    def add_point(self, step: int) -> None:
        self._connection.execute("insert into points values (1, 1, ?, ?, 5)", (step, step))

    def add_points(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Add (label, step, image of the value), in one transaction."""
        self._connection.execute("begin immediate")
        self._connection.executemany("insert into points values (2, ?, ?, 1, ?)", rows)
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
