"""What a server is started with."""

import re
from enum import StrEnum

from msgspec import Struct

from trackstore.errors import InvalidRequest


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class Settings(Struct, frozen=True):
    """Where a server listens, and what it stores where."""

    backend: str = "sqlite:///trackstore.db"
    artifacts: str = "./artifacts"
    artifact_root: str | None = None
    allowed_roots: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    static_prefix: str = ""
    allowed_hosts: tuple[str, ...] = ()
    direct: bool = True
    """Give clients URLs of the artifact store, if it signs them."""
    serve_stores: bool = False
    """Let clients use the stores themselves, by `http://` URLs."""
    log_format: LogFormat = LogFormat.TEXT
    access_log: bool = False
    """Log a line for each request."""
    pin: bool = True
    """Run each worker's Python on one CPU: its threads share the interpreter's lock anyway, and
    passing it between CPUs for each small write costs as much again as the write."""


def check_static_prefix(prefix: str) -> str:
    """Return a prefix such as `/mlflow` without a slash at its end."""
    found = prefix.rstrip("/")
    if found and not re.fullmatch(r"(?:/[\w.~-]+)+", found, re.ASCII):
        raise InvalidRequest("--static-prefix must be a path such as /mlflow")
    return found
