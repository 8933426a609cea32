"""Metrics and logs of a real server, with several processes."""

import json
import re
import socket
from pathlib import Path

from provision.server import RunningServer, running_server, wait_until

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
TRACKING = "/api/2.0/mlflow/"
COUNT = r'trackstore_request_seconds_count\{method="(\w+)",route="([^"]*)",status="(\d+)"\} (\S+)'


def counts(server: RunningServer) -> dict[tuple[str, str, str], float]:
    page = server.request("GET", "/metrics").body.decode()
    return {(verb, route, code): float(n) for verb, route, code, n in re.findall(COUNT, page)}


def one(server: RunningServer, name: str) -> float:
    page = server.request("GET", "/metrics").body.decode()
    found = re.search(rf"^trackstore_{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, page
    return float(found[1])


def test_the_counts_of_all_workers_are_added(tmp_path: Path) -> None:
    """Whichever process answers a scrape, it tells of all; and none counts twice."""
    with running_server(tmp_path, "--workers", "3") as server:
        run = server.call(f"{TRACKING}runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        for step in range(60):
            point = {"run_id": run, "key": "m", "value": 1, "timestamp": 1, "step": step}
            server.call(f"{TRACKING}runs/log-metric", point)
        key = ("POST", f"{TRACKING}runs/log-metric", "200")
        server.request("BREW", "/health")
        wait_until(lambda: counts(server).get(key) == 60)
        assert [counts(server)[key] for _ in range(12)] == [60] * 12
        assert {verb for verb, *_ in counts(server)} <= {"GET", "POST", "other"}


def test_a_download_that_is_cut_off_has_ended(tmp_path: Path) -> None:
    """Nothing stays in flight of a client that went away."""
    with running_server(tmp_path) as server:
        size = 64 * 1024 * 1024
        blocks = (b"x" * (1024 * 1024) for _ in range(64))
        headers = {"Content-Length": str(size)}
        assert server.request("PUT", f"{PROXY}/0/f", blocks, headers).status == 200
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(f"GET {PROXY}/0/f HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: one(server, "requests_in_flight") == 1)
        assert one(server, 'artifact_bytes_total{direction="up"}') == size
        assert 0 < one(server, 'artifact_bytes_total{direction="down"}') < size


def test_the_log_of_a_server_is_json_if_wanted(tmp_path: Path) -> None:
    """Each line after the greeting is one object, and each request has one."""
    options = ("--log-format", "json", "--access-log", "--workers", "2")
    with running_server(tmp_path, *options) as server:
        reply = server.request("GET", "/version?token=hunter2", headers={"X-Request-Id": "r-1"})
        assert reply.headers["x-request-id"] == "r-1"
        server.stop()
        text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    (line,) = [each for each in lines if each["request_id"] == "r-1"]
    assert (line["path"], line["status"], line["client"]) == ("/version", 200, "127.0.0.1")
    assert "hunter2" not in text


def test_nothing_is_left_of_the_counts(tmp_path: Path) -> None:
    """The folder in which workers count goes with the server."""
    with running_server(tmp_path, environment={"TMPDIR": str(tmp_path)}) as server:
        assert len(list(tmp_path.glob("trackstore-meters-*"))) == 1
        assert server.stop() == 0
    assert list(tmp_path.glob("trackstore-meters-*")) == []
