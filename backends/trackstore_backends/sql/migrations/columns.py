"""Columns and tables as the revisions make them: the same meaning in every database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql


def dialect() -> Any:
    return op.get_bind().dialect


def is_sqlite() -> bool:
    return bool(dialect().name == "sqlite")


def is_mysql() -> bool:
    return dialect().name in {"mysql", "mariadb"}


def number(name: str, *, key: bool = False) -> sa.Column[int]:
    """Return a column for an integer that we number rows by."""
    return sa.Column(name, sa.Integer, primary_key=key, autoincrement=False, nullable=False)


def numbered(name: str) -> sa.Column[int]:
    """Return the column that the database numbers the rows by."""
    return sa.Column(name, sa.Integer, primary_key=True)


def big(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    """Return a column for any int64."""
    return sa.Column(name, sa.BigInteger, primary_key=key, autoincrement=False, nullable=nullable)


def text(name: str, length: int, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Return a column for text, which is compared code point by code point."""
    return sa.Column(name, exact(sa.String(length)), primary_key=key, nullable=nullable)


def long_text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, exact(sa.Text()), nullable=nullable)


def flag(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def clustered(name: str, *columns: sa.Column[Any]) -> None:
    """Make a table that is stored in the order of its primary key."""
    table(name, *columns, sqlite_with_rowid=False)


def exact(kind: sa.String) -> sa.types.TypeEngine[str]:
    """Return the type of a text that is compared code point by code point, spaces included.

    Of MySQL's collations only those without padding do so, and MariaDB names them otherwise.
    """
    if dialect().name == "postgresql":
        return type(kind)(kind.length, collation="C")
    if is_mysql():
        name = "utf8mb4_nopad_bin" if dialect().is_mariadb else "utf8mb4_0900_bin"
        if kind.length is None:
            return mysql.MEDIUMTEXT(charset="utf8mb4", collation=name)
        return mysql.VARCHAR(kind.length, charset="utf8mb4", collation=name)
    return kind


def table(name: str, *columns: sa.Column[Any], **options: Any) -> None:
    """Make a table, unless an upgrade that was killed has made it already."""
    op.create_table(name, *columns, if_not_exists=is_mysql() or None, **options)


def index(name: str, on: str, columns: Sequence[Any], *, unique: bool = False) -> None:
    """Make an index, unless an upgrade that was killed has made it already."""
    if is_mysql() and name in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes(on)}:
        return
    op.create_index(name, on, columns, unique=unique)
