"""`line://host:port/folder?timeout=seconds`: a store of both kinds behind a line protocol."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from line_store.files import Files
from line_store.lines import METHODS, Damaged, from_line, result, to_line
from trackstore import errors
from trackstore.errors import InvalidRequest, InvalidState, TrackstoreError, Unavailable
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore, BackendStore, Guarantees
from trackstore_conformance.harness import Harness, Opener

REPEATED = {"get_experiment", "find_experiment", "scan_experiments", "get_run", "scan_runs"} | {
    "search_runs", "metric_history", "create_experiment", "create_run", "get", "stat", "scan"
}  # fmt: skip
"""Calls of which a second one changes nothing, and is answered as the first was."""
CHUNK = 2**16


class Connection:
    """One connection; calls on it follow each other."""

    parse = staticmethod(from_line)

    def __init__(self, address: tuple[str, int], end: float) -> None:
        self.socket = socket.create_connection(address, remaining(end))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.numbers = 0

    def ask(self, end: float, store: str, method: str, args: tuple[Any, ...]) -> Any:
        self.numbers += 1
        self.socket.settimeout(remaining(end))
        self.socket.sendall(to_line([store, self.numbers, method, args]))
        number, *answer = self.parse(self.read_line(end))
        if not self.expects(number):
            raise Damaged
        return answer

    def expects(self, number: int) -> bool:
        return number == self.numbers

    def read_line(self, end: float) -> bytes:
        line = [b""]
        while not line[-1].endswith(b"\n"):
            self.socket.settimeout(remaining(end))
            line.append(self.socket.recv(CHUNK))
            if not line[-1]:
                raise ConnectionError
        return b"".join(line)


def remaining(end: float) -> float:
    if (left := end - monotonic()) <= 0:
        raise TimeoutError
    return left


def forwarded(method: str) -> Callable[..., Any]:
    def call(self: "LineStore", *args: Any) -> Any:
        with self.under_way():
            return self.call(method, args)

    return call


class LineStore(BackendStore, ArtifactStore):
    """A store whose calls are answered by a server, within `timeout` seconds."""

    guarantees: ClassVar = Guarantees(durability="process-crash", transfer="checked")

    def __init__(self, address: tuple[str, int], folder: str, timeout: float) -> None:
        self.address = address
        self.store = f"sqlite:///{folder}/store.db"
        self.files = f"file:///{folder.lstrip('/')}/files"
        self.timeout = timeout
        self.closed = False
        self.forget()

    def forget(self) -> None:
        """Begin anew: what a fork inherited is the parent's."""
        self.process = os.getpid()
        self.idle: list[Connection] = []
        self.calls = 0
        self.lock = Condition()

    @classmethod
    def from_url(cls, url: str) -> Self:
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise InvalidRequest("expected line://host:port/folder?timeout=seconds")
        timeout = float(parse_qs(parts.query).get("timeout", ["10"])[0])
        return cls((parts.hostname, parts.port), parts.path, timeout)

    def close(self) -> None:
        with self.lock:
            self.closed = True
            self.lock.wait_for(lambda: self.calls == 0)
            while self.idle:
                self.idle.pop().socket.close()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        if self.process != os.getpid():
            self.inherited = self.idle  # kept, so that they are not closed
            self.forget()
        with self.lock:
            if self.closed:
                raise InvalidState("this store is closed")
            self.calls += 1
        try:
            yield
        finally:
            with self.lock:
                self.calls -= 1
                self.lock.notify_all()

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        try:
            return self.attempt(method, args)
        except Unavailable as first:
            if method not in REPEATED or isinstance(first.__cause__, TimeoutError):
                raise
            try:
                return self.attempt(method, args)
            except Unavailable as second:
                if first.outcome == "unknown":
                    second.outcome = "unknown"
                raise

    def attempt(self, method: str, args: tuple[Any, ...]) -> Any:
        """Make the call once; a connection that did not answer as it should is used no more."""
        end = monotonic() + self.timeout
        connection = self.connected(end)
        try:
            way, value = connection.ask(end, self.place(method), method, args)
        except (OSError, Damaged) as error:
            self.discard(connection, error)
            raise self.unanswered(error) from error
        except BaseException:
            connection.socket.close()
            raise
        with self.lock:
            self.idle.append(connection)
        if way == "ok":
            return result(method, value)
        raise getattr(errors, way)(value[0], **value[1])

    def place(self, method: str) -> str:
        return self.files if METHODS[method] is Files else self.store

    def connected(self, end: float) -> Connection:
        with self.lock:
            if self.idle:
                return self.idle.pop()
        try:
            return self.connect(end)
        except OSError as error:
            raise Unavailable("the server cannot be reached") from error

    def connect(self, end: float) -> Connection:
        return Connection(self.address, end)

    def discard(self, connection: Connection, error: BaseException) -> None:
        connection.socket.close()

    def unanswered(self, error: BaseException) -> TrackstoreError:
        return Unavailable("the server did not answer", outcome="unknown")

    create_experiment = forwarded("create_experiment")
    get_experiment = forwarded("get_experiment")
    find_experiment = forwarded("find_experiment")
    update_experiment = forwarded("update_experiment")
    scan_experiments = forwarded("scan_experiments")
    create_run = forwarded("create_run")
    get_run = forwarded("get_run")
    update_run = forwarded("update_run")
    scan_runs = forwarded("scan_runs")
    search_runs = forwarded("search_runs")
    log = forwarded("log")
    metric_history = forwarded("metric_history")
    purge_run = forwarded("purge_run")
    purge_experiment = forwarded("purge_experiment")
    stat = forwarded("stat")
    delete = forwarded("delete")

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        with self.under_way():
            return self.call("put", (path, b"".join(chunks), if_absent))

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        with self.under_way():
            whole, size = self.call("get", (path, start, length))
        return ArtifactReader(iter([whole]), size)

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        with self.under_way():
            return self.call("scan", (prefix, after, limit, deep))


def open_line_store(url: str) -> LineStore:
    return LineStore.from_url(url)


class LineHarness(Harness[Any]):
    """Line stores of one server; where faults are played, their calls end after `timeout`."""

    patience = 10.0

    def __init__(
        self, port: int, opener: Opener[Any] = open_line_store, timeout: float = 1
    ) -> None:
        super().__init__(f"line://127.0.0.1:{port}/{{folder}}?timeout=30", opener)
        self.timeout = timeout

    def proxied(self, url: str, port: int) -> str:
        return super().proxied(url, port).replace("timeout=30", f"timeout={self.timeout}")
