"""The two servers over HTTP: the same compiled load generator against both, and their start."""

import contextlib
import json
import os
import re
import shutil
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

import trackstore

BIN = Path(sys.executable).parent
CONNECTIONS = 16

WRK_SCRIPT = """
local step = 0
local body = '{"run_id":"%s","run_uuid":"%s","key":"m","value":0.5,"timestamp":1,"step":%%d}'
request = function()
  step = step + 1
  return wrk.format("POST", "/api/2.0/mlflow/runs/log-metric",
    {["Content-Type"] = "application/json"}, string.format(body, step + %d))
end
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trackstore_server(folder: Path, port: int) -> list[str]:
    database, files = folder / "server.db", folder / "server-artifacts"
    return [
        *(str(BIN / "trackstore"), "server", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(files)),
    ]


def mlflow_server(folder: Path, port: int) -> list[str]:
    database, files = folder / "mlflow-server.db", folder / "mlflow-artifacts"
    return [
        *(str(BIN / "mlflow"), "server", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(files)),
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
        process.wait(30)
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


def post(port: int, path: str, body: dict[str, object]) -> dict[str, dict[str, dict[str, str]]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/2.0/mlflow/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


class Load:
    """16 keep-alive connections that log one metric a request, each with its own step."""

    def __init__(self, folder: Path, port: int, seconds: int) -> None:
        self.port, self.seconds = port, seconds
        self.rounds = self.answered = 0
        self.script = folder / f"wrk-{port}.lua"
        body = {"experiment_id": "0", "start_time": 1}
        self.run_id = post(port, "runs/create", body)["run"]["info"]["run_id"]

    def __call__(self) -> float:
        """Return requests answered with 200, a second."""
        offset = self.rounds * 10_000_000
        self.rounds += 1
        self.script.write_text(WRK_SCRIPT % (self.run_id, self.run_id, offset))
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{self.seconds}s", "--timeout", "30s"]
        output = subprocess.run(
            [*command, "-s", str(self.script), f"http://127.0.0.1:{self.port}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert "Non-2xx" not in output, output
        assert "Socket errors" not in output, output
        count = re.search(r"(\d+) requests in ([\d.]+)s", output)
        assert count, output
        self.answered += int(count[1])
        return int(count[1]) / float(count[2])


def log_over_http(folder: Path, seconds: int, rounds: int) -> Result:
    if shutil.which("wrk") is None:
        sys.exit("the load generator `wrk` is missing: apt-get install wrk, or brew install wrk")
    ours, theirs = free_port(), free_port()
    with (
        running(trackstore_server(folder, ours), ours),
        running(mlflow_server(folder, theirs), theirs),
    ):
        our_load, mlflow_load = Load(folder, ours, seconds), Load(folder, theirs, seconds)
        result = compare(
            f"`log-metric` over HTTP, {CONNECTIONS} connections",
            our_load,
            mlflow_load,
            rounds=rounds,
            target="80x",
        )
    check_nothing_was_lost(folder, our_load)
    return result


def check_nothing_was_lost(folder: Path, load: Load) -> None:
    """All that was answered is stored; beyond it only what each round's end left unanswered."""
    with trackstore.open(f"sqlite:///{folder}/server.db", artifacts=str(folder)) as tracker:
        stored = sum(1 for _ in tracker.iter_metric_history(load.run_id, "m"))
    most = load.answered + load.rounds * CONNECTIONS
    assert load.answered <= stored <= most, f"{load.answered} answered, {stored} stored"


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
