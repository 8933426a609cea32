"""MariaDB, by pymysql: statements as text of our own, which are its fastest."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import pymysql
from driver import Point

TEXT = "mediumtext character set utf8mb4 collate utf8mb4_nopad_bin"
SHORT = "varchar(64) character set utf8mb4 collate utf8mb4_nopad_bin"
VALUES = f"""(run int, label int, exp int, value {TEXT},
    head varchar(250) character set utf8mb4 collate utf8mb4_nopad_bin
        generated always as (substr(value, 1, 250)) virtual,
    primary key (run, label), index (exp, label, head, run))"""
SCHEMA = f"""
create table if not exists points (run int, label int, step bigint, ts bigint, o bigint,
    primary key (run, label, step, ts, o));
create table if not exists params {VALUES};
create table if not exists tags {VALUES};
create table if not exists runs (run int primary key, id {SHORT} unique, exp int,
    status {SHORT}, start_time bigint, end_time bigint, index (exp, start_time))
"""


class MariaDBDriver:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = pymysql.connect(
            host=parts.hostname or "",
            port=parts.port or 0,
            user=parts.username,
            password=parts.password or "",
            database=parts.path[1:],
            charset="utf8mb4",
            autocommit=True,
            ssl_disabled=True,
        )
        for statement in SCHEMA.split(";"):
            self._connection.query(statement)

    def add_point(self, run: int, step: int) -> None:
        self._connection.query(f"insert into points values ({run},1,{step},{step},5)")

    def add_points(self, points: Sequence[Point]) -> None:
        rows = ",".join([f"(2,{label},{step},1,{o})" for label, step, o in points])
        self._connection.query(f"insert into points values {rows}")

    def add_params_and_tags(self, run: int, values: Sequence[str]) -> None:
        escape = self._connection.escape
        rows = ",".join(
            [f"({run},{label},1,{escape(value)})" for label, value in enumerate(values)]
        )
        self._connection.begin()
        for table in ("params", "tags"):
            self._connection.query(f"insert into {table} (run, label, exp, value) values {rows}")
        self._connection.commit()

    def create_and_finish(self, number: int) -> None:
        self._connection.begin()
        self._connection.query(
            f"insert into runs values ({number},'{number:032x}',1,'RUNNING',{number},null)"
        )
        self._connection.query(
            f"insert into tags (run, label, exp, value) values ({number},-1,1,'r')"
        )
        self._connection.commit()
        self._connection.query(
            f"update runs set status = 'FINISHED', end_time = 2 where run = {number}"
        )

    def close(self) -> None:
        self._connection.close()
