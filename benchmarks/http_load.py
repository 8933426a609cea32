"""Load over HTTP, the same for every server: `wrk`, a compiled client, on kept connections."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

CONNECTIONS = 16
API = "/api/2.0/mlflow/"
STEPS = 10_000_000
"""How far apart the steps of two rounds are."""

SCRIPT = """
local threads, runs, first, method, path = 0, {%(runs)s}, %(first)d, "%(method)s", "%(path)s"
local body = [==[%(body)s]==]
local headers = {["Content-Type"] = "application/json"}

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  step = first
  mine = body:gsub("@RUN@", runs[number] or "")
end

function request()
  step = step + 1
  return wrk.format(method, path, headers, (mine:gsub("@STEP@", step)))
end
"""
"""Each of wrk's threads has a connection, and runs this for itself; `number` is 1, 2, 3..."""


class Load:
    """Sends the same request over and over, a GET if it has no body.

    In a body "@RUN@" is the id of one of `runs`, each connection's own, and "@STEP@" a number that
    is another one each time.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        seconds: int,
        path: str,
        body: object | None = None,
        runs: Sequence[str] = (),
    ) -> None:
        self.port, self.seconds = port, seconds
        self.script_of = {
            "method": "GET" if body is None else "POST",
            "path": path,
            "body": "" if body is None else json.dumps(body).replace('"@STEP@"', "@STEP@"),
            "runs": json.dumps(list(runs))[1:-1],
        }
        self.rounds = self.answered = 0
        self.script = folder / f"wrk-{port}.lua"
        if shutil.which("wrk") is None:
            sys.exit("the load generator is missing: apt-get install wrk, or brew install wrk")

    def __call__(self) -> float:
        """Return requests answered with 200, a second; no other answer is borne.

        The first call only warms the server up.  None at all counts as one, in a server's favour.
        """
        seconds = self.seconds if self.rounds else min(self.seconds, 2)
        self.script.write_text(SCRIPT % {**self.script_of, "first": self.rounds * STEPS})
        self.rounds += 1
        command = [
            "wrk",
            f"-t{CONNECTIONS}",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "60s",
        ]
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
        return max(int(count[1]), 1) / float(count[2])

    def check_stored(self, stored: int, size: int = 1) -> None:
        """All that was answered is stored; beyond it only what each round's end left unanswered."""
        most = self.answered + self.rounds * CONNECTIONS
        assert stored % size == 0, f"{stored} points are no whole number of requests"
        assert self.answered <= stored // size <= most, f"{self.answered} answered, {stored} stored"


def post(port: int, path: str, body: object) -> Any:
    """Send one request of the REST API, such as "runs/create", and return the reply."""
    asked = json.dumps(body).encode()
    return _reply(port, API + path, asked, {"Content-Type": "application/json"})


def get(port: int, path: str) -> Any:
    return _reply(port, path)


def _reply(
    port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Any:
    """Ask up to three times, as MLflow replaces processes that have been slow to start."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {**(headers or {})})
    for _ in range(2):
        with contextlib.suppress(ConnectionError):
            return _answer(request)
    return _answer(request)


def _answer(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def query(path: str, *pairs: tuple[str, object]) -> str:
    return f"{path}?{urlencode(pairs)}"
