"""The servers as processes: how each is started, and how long that and an import take."""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from interleaved import Result, compare

BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trackstore_server(folder: Path, port: int, url: str | None = None) -> list[str]:
    """Return the command of a server on a database, which is a new SQLite file if none is given."""
    return [
        *(str(BIN / "trackstore"), "server", "--port", str(port)),
        *("--backend-store-uri", url or f"sqlite:///{folder}/server.db"),
        *("--artifacts-destination", str(folder / "server-artifacts")),
    ]


def mlflow_server(folder: Path, port: int, url: str | None = None) -> list[str]:
    return [
        *(str(BIN / "mlflow"), "server", "--port", str(port)),
        *("--backend-store-uri", url or f"sqlite:///{folder}/mlflow-server.db"),
        *("--artifacts-destination", str(folder / "mlflow-artifacts")),
    ]


def fasttrackml_server(folder: Path, port: int, url: str) -> list[str]:
    """FastTrackML, told to sync each commit, as the others do: by itself SQLite's are not."""
    own = url.replace("sqlite:///", "sqlite://", 1)  # its paths begin after the second slash
    asked = "_synchronous=FULL" if own.startswith("sqlite:") else "sslmode=disable"
    return [
        *(str(BIN / "fml"), "server", "--listen-address", f"127.0.0.1:{port}"),
        *("--database-uri", f"{own}?{asked}", "--log-level", "error"),
        *("--default-artifact-root", str(folder / "fasttrackml-artifacts")),
    ]


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[float]:
    """Start a server, wait for its first 200, and yield how long that took, in s."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, f"{command} ended"
            time.sleep(0.005)
        yield time.perf_counter() - begun
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):  # raised once no child is left running
            while True:
                os.killpg(process.pid, signal.SIGKILL)
                time.sleep(0.01)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def start_up(folder: Path, rounds: int) -> Result:
    def timed(command: Callable[[Path, int], list[str]]) -> Callable[[], float]:
        def once() -> float:
            fresh, port = folder / f"start-{free_port()}", free_port()
            fresh.mkdir()
            with running(command(fresh, port), port) as seconds:
                return 1 / seconds

        return once

    work = "server, from its start to the first 200"
    return compare(
        work, timed(trackstore_server), timed(mlflow_server), rounds=rounds, target="10x"
    )


def import_time(rounds: int) -> Result:
    def timed(package: str) -> Callable[[], float]:
        def once() -> float:
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {package}"], check=True)
            return 1 / (time.perf_counter() - begun - bare)

        return once

    def bare_start() -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        return time.perf_counter() - begun

    bare = statistics.median(bare_start() for _ in range(10))
    work = "`import` (less the interpreter's own start)"
    return compare(work, timed("trackstore"), timed("mlflow"), rounds=rounds, target="10x")
