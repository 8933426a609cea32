"""The schema of the SQL stores, revision by revision, and how alembic applies it."""

from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine

from trackstore_backends.sql.database import Connection

OPTIONS: dict[str, dict[str, Any]] = {"postgresql+psycopg": {"use_native_hstore": False}}
"""What SQLAlchemy is not to ask a server about."""

_lock = Lock()
"""Alembic keeps its context in a global of the process."""


def upgrade(dialect: str, connection: Connection) -> None:
    """Apply the revisions that are missing, in the transaction that is under way."""
    engine = create_engine(
        f"{dialect}://",
        creator=lambda: _Lent(connection),
        poolclass=NullPool,
        **OPTIONS.get(dialect, {}),
    )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with _lock, engine.connect() as lent:
        config.attributes["connection"] = lent
        command.upgrade(config, "head")


class _Lent:
    """A driver's connection whose transaction SQLAlchemy can neither begin nor end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...
