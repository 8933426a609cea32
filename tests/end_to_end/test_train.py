"""The unmodified MLflow client, over HTTP, against a real server process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from provision.server import RunningServer, running_server

import trackstore

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> RunningServer:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


def run(code: Path | str, server: RunningServer, folder: Path) -> str:
    command = [str(code), "--tracking-uri", server.url] if isinstance(code, Path) else ["-c", code]
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(ROOT / "examples" / "train.py", server, tmp_path_factory.mktemp("train"))


@pytest.fixture
def tracker(server: RunningServer, printed: str) -> trackstore.Tracker:
    with trackstore.open(server.backend_url, server.artifacts_url) as tracker:
        yield tracker
