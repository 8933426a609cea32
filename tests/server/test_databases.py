"""A server with several workers on each database, stopped and killed under load."""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

import trackstore
from provision.load import Load, new_run
from provision.server import RunningServer, running_server


@pytest.fixture(params=["file", "postgres", "mariadb"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/records"
    return request.getfixturevalue(f"{request.param}_url")


def kill(server: RunningServer) -> None:
    """End all its processes as a machine that fails would."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    for pid in map(int, children.read_text().split()):
        os.kill(pid, signal.SIGKILL)
    assert server.process.wait(30) == 1


@pytest.mark.parametrize("ends", ["stopped", "killed"])
def test_a_server_that_ends_under_load(backend: str, ends: str, tmp_path: Path) -> None:
    """Every point that was acknowledged is there once, and the next server goes on."""
    options = ("--workers", "2", "--backend-store-uri", backend)
    with running_server(tmp_path, *options) as server:
        load = Load(server, new_run(server), clients=6)
        assert load.enough.wait(60)
        if ends == "killed":
            kill(server)
        else:
            assert server.stop() == 0
        load.join()
    assert load.refused == []
    with running_server(tmp_path, *options) as server:
        more = Load(server, load.run_id, clients=2)
        assert more.enough.wait(60)
        assert server.stop() == 0
        more.join()
    with trackstore.open(backend, str(tmp_path / "artifacts")) as tracker:
        stored = Counter(p.step for p in tracker.iter_metric_history(load.run_id, "m"))
    assert {*load.acknowledged, *more.acknowledged} <= set(stored)
    assert set(stored.values()) == {1}
