"""Load over HTTP, the same for every server: `wrk`, a compiled client, on kept connections."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

CONNECTIONS = 16
API = "/api/2.0/mlflow/"
STEPS = 10_000_000
"""How far apart the steps of two rounds are."""

POST = """
local step = %d
local body = [==[%s]==]
local headers = {["Content-Type"] = "application/json"}
request = function()
  step = step + 1
  return wrk.format("POST", "%s", headers, (body:gsub("STEP", step)))
end
"""
GET = """
request = function()
  return wrk.format("GET", "%s")
end
"""


class Load:
    """Sends the same request over and over; in a body the word STEP is another number each time."""

    def __init__(
        self, folder: Path, port: int, seconds: int, path: str, body: object | None = None
    ) -> None:
        self.port, self.seconds, self.path = port, seconds, path
        self.body = None if body is None else json.dumps(body).replace('"STEP"', "STEP")
        self.rounds = self.answered = 0
        self.script = folder / f"wrk-{port}.lua"
        if shutil.which("wrk") is None:
            sys.exit("the load generator is missing: apt-get install wrk, or brew install wrk")

    def __call__(self) -> float:
        """Return requests answered with 200, a second; no other answer is borne.

        The first call only warms the server up.  None at all counts as one, in a server's favour.
        """
        seconds = self.seconds if self.rounds else min(self.seconds, 2)
        self.script.write_text(
            GET % self.path
            if self.body is None
            else POST % (self.rounds * STEPS, self.body, self.path)
        )
        self.rounds += 1
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s"]
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
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{API}{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def get(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
        return json.load(reply)


def query(path: str, *pairs: tuple[str, object]) -> str:
    return f"{path}?{urlencode(pairs)}"
