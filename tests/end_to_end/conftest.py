"""Where the stock client is let loose: our server, MLflow's on the plug-in, and no server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provision.mlflow_server import QUIET, running_mlflow_server
from provision.server import running_server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="a folder for pictures of MLflow's pages")


class Place(NamedTuple):
    """A tracking URI, and the stores behind it as the library opens them."""

    uri: str
    backend: str
    artifacts: str

    def run(self, *command: str, folder: Path, timeout: int = 240) -> str:
        """Run Python there, with the tracking URI in the environment; return what it prints."""
        return run_python(*command, folder=folder, tracking_uri=self.uri, artifacts=self.artifacts)


def run_python(
    *command: str, folder: Path, tracking_uri: str, artifacts: str, timeout: int = 240
) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={
            **os.environ,
            **QUIET,
            "MLFLOW_TRACKING_URI": tracking_uri,
            "MLFLOW_ARTIFACTS_DESTINATION": artifacts,
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def trackstore_server(folder: Path, backend: str) -> Iterator[Place]:
    with running_server(folder, "--backend-store-uri", backend) as server:
        yield Place(server.url, backend, server.artifacts_url)


@contextmanager
def mlflow_server(folder: Path, backend: str) -> Iterator[Place]:
    """Two workers, and files through our artifact repository."""
    artifacts = (folder / "artifacts").as_uri()
    stores = ["--backend-store-uri", f"trackstore:{backend}"]
    stores += ["--artifacts-destination", f"trackstore:{artifacts}"]
    with running_mlflow_server(folder, *stores, "--workers", "2") as server:
        yield Place(server.url, backend, artifacts)


@contextmanager
def no_server(folder: Path, backend: str) -> Iterator[Place]:
    yield Place(f"trackstore:{backend}", backend, (folder / "artifacts").as_uri())


KINDS: dict[str, tuple[Callable[..., Any], str]] = {
    "trackstore server": (trackstore_server, "sqlite"),
    "mlflow server": (mlflow_server, "sqlite"),
    "mlflow server on PostgreSQL": (mlflow_server, "postgres"),
    "no server": (no_server, "sqlite"),
}


@pytest.fixture(scope="session", params=KINDS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Each kind of place, once; `in_places` gives a test some of them."""
    enter, database = KINDS[request.param]
    folder = tmp_path_factory.mktemp("place")
    backend = f"sqlite:///{folder}/runs.db"
    if database == "postgres":
        backend = request.getfixturevalue("postgres").fresh()
    with enter(folder, backend) as found:
        yield found


def in_places(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", kinds, indirect=True, scope="session")
