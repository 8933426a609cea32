"""A real `trackstore server` process, on a port of its own."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from provision.processes import end_group

COMMAND = [sys.executable, "-c", "from trackstore.cli import main; main()", "server"]
START_SECONDS = 180
STOP_SECONDS = 40


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class RunningServer:
    """A server process that answers; its output is kept in `log`."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", folder: Path, url: str, log: Path
    ) -> None:
        self.process = process
        self.folder = folder
        self.url = url
        self.log = log
        self.host = urlsplit(url).hostname or ""
        self.port = urlsplit(url).port or 0
        self.backend_url = f"sqlite:///{folder}/trackstore.db"
        self.artifacts_url = (folder / "artifacts").as_uri()

    @contextmanager
    def connect(self) -> Iterator[HTTPConnection]:
        with closing(HTTPConnection(self.host, self.port, timeout=30)) as connection:
            yield connection

    def request(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request on a connection of its own and return the whole reply."""
        with self.connect() as connection:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())

    def call(self, target: str, body: object = None) -> Any:
        """Return the JSON that a call is answered with, which must succeed."""
        method, raw = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        reply = self.request(method, target, raw, {"Content-Type": "application/json"})
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def stop(self) -> int:
        """Tell it to stop, as an init system does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running_server(
    folder: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """Start a server in `folder`, where its database and artifacts go, and stop it at the end.

    `options` come after the defaults, so they may give another store or a number of workers.
    """
    command = [*COMMAND, "--port", "0", *options]
    with serving(command, folder, _url, environment) as server:
        yield server
        if server.process.poll() is None:
            assert server.stop() == 0, server.log.read_text()


@contextmanager
def serving(
    command: list[str],
    folder: Path,
    find_url: Callable[["subprocess.Popen[bytes]", Path], str],
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """Start a server of any kind; `find_url` gets its process and its log."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            start_new_session=True,  # so that none of its workers is left
        )
    try:
        server = RunningServer(process, folder, find_url(process, log), log)
        _await_answer(server)
        yield server
    finally:
        if process.poll() is None:
            end_group(process)
            process.wait()


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return where the server says it listens."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        found = re.search(r"listens on (http://\S+)\n", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    raise TimeoutError(log.read_text())


def _await_answer(server: RunningServer) -> None:
    end = time.monotonic() + START_SECONDS
    path = f"{urlsplit(server.url).path}/health"
    while time.monotonic() < end:
        try:
            if server.request("GET", path).status == 200:
                return
        except OSError:
            assert server.process.poll() is None, server.log.read_text()
            time.sleep(0.01)
    raise TimeoutError(server.log.read_text())


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
