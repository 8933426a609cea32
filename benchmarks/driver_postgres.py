"""PostgreSQL, by psycopg: prepared statements, and binary arrays for many rows."""

from collections.abc import Sequence

import psycopg
from driver import Point

SCHEMA = """
create table if not exists points (run int, label int, step bigint, ts bigint, o bigint,
    primary key (run, label, step, ts, o));
create table if not exists params (run int, label int, exp int, value text collate "C",
    primary key (run, label));
create index if not exists params_by_value on params (exp, label, substr(value, 1, 250), run);
create table if not exists tags (run int, label int, exp int, value text collate "C",
    primary key (run, label));
create index if not exists tags_by_value on tags (exp, label, substr(value, 1, 250), run);
create table if not exists runs (run int primary key, id text collate "C" unique, exp int,
    status text, start_time bigint, end_time bigint);
create index if not exists runs_by_start on runs (exp, start_time desc);
"""
POINTS = """
insert into points select 2, label, step, 1, o
from unnest(%b::int4[], %b::int8[], %b::int8[]) as p(label, step, o)
"""


class PostgresDriver:
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self._connection.execute(SCHEMA, prepare=False)
        self._cursor = self._connection.cursor(binary=True)

    def add_point(self, run: int, step: int) -> None:
        self._cursor.execute("insert into points values (%b, 1, %b, %b, 5)", (run, step, step))

    def add_points(self, points: Sequence[Point]) -> None:
        columns = [list(column) for column in zip(*points, strict=True)]
        self._cursor.execute(POINTS, columns)

    def add_params_and_tags(self, run: int, values: Sequence[str]) -> None:
        """Add both in one statement, which is one round trip, and commits by itself."""
        rows = [list(range(len(values))), list(values)]
        select = "select %b, label, 1, value from unnest(%b::int4[], %b::text[]) as p(label, value)"
        self._cursor.execute(
            f"with p as (insert into params {select}) insert into tags {select}",
            [run, *rows, run, *rows],
        )

    def create_and_finish(self, number: int) -> None:
        self._cursor.execute(
            "with r as (insert into runs values (%b, %b, 1, 'RUNNING', %b, null)) "
            "insert into tags values (%b, -1, 1, 'r')",
            (number, f"{number:032x}", number, number),
        )
        self._cursor.execute(
            "update runs set status = 'FINISHED', end_time = 2 where run = %b", (number,)
        )

    def close(self) -> None:
        self._connection.close()
