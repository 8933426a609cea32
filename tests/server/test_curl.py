"""The example that uses nothing but curl."""

import json
import subprocess
from pathlib import Path

from provision.server import RunningServer

PROGRAM = Path(__file__).parents[2] / "examples" / "curl.sh"


def run(url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", str(PROGRAM), url], check=False, capture_output=True, text=True, timeout=60
    )


def test_the_program_tracks_a_run(server: RunningServer) -> None:
    """It makes, logs, uploads, ends and finds a run; what it prints last is the run it made."""
    done = run(server.url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    *_, last = done.stdout.splitlines()
    (found,) = json.loads(last)["runs"]
    assert found["info"]["status"] == "FINISHED"
    assert found["info"]["run_name"] == "by hand"
    metrics = {each["key"]: each["value"] for each in found["data"]["metrics"]}
    assert metrics == {"loss": 0.4, "gap": "Infinity"}
    params = {each["key"]: each["value"] for each in found["data"]["params"]}
    assert params == {"rate": "0.1", "depth": "3"}
    assert {"key": "client", "value": "curl"} in found["data"]["tags"]
    assert "written by curl\n" in done.stdout
    stored = server.folder / "artifacts" / found["info"]["experiment_id"]
    files = [each for each in stored.rglob("*") if each.is_file()]
    assert [each.read_text() for each in files] == ["written by curl\n"]


def test_a_refusal_ends_the_program(server: RunningServer) -> None:
    """The first call that fails is named, and nothing goes on as if it had not."""
    done = run(f"{server.url}/nowhere")
    assert done.returncode == 1
    assert "ENDPOINT_NOT_FOUND" in done.stdout + done.stderr
    assert "2. a run" not in done.stdout
