"""The stock `mlflow server`, on any backend store."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.processes import free_port, is_alive, wait_for
from provision.server import RunningServer, serving

COMMAND = [sys.executable, "-m", "mlflow", "server"]
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}
STOP_SECONDS = 40


@contextmanager
def running_mlflow_server(folder: Path, *options: str) -> Iterator[RunningServer]:
    """Start it in `folder` and stop it, with its workers, at the end."""
    port = str(free_port())
    prefix = options[options.index("--static-prefix") + 1] if "--static-prefix" in options else ""
    command = [*COMMAND, "--port", port, *options]
    url = f"http://127.0.0.1:{port}{prefix}"
    with serving(command, folder, lambda *_: url, QUIET) as server:
        yield server
        workers = children(server.process.pid)
        server.stop()
        wait_for(lambda: not any(map(is_alive, workers)), STOP_SECONDS, server.log.read_text)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, found) for each in (child, *children(child))]
