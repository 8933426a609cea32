"""What only a real process shows: uploads that are cut, stopping under load, several workers."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackstore
from provision.load import TRACKING, Load, new_run
from provision.server import RunningServer, running_server, wait_until

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
MB = 1024 * 1024


def files(server: RunningServer) -> list[str]:
    root = server.folder / "artifacts"
    return [path.name for path in root.rglob("*") if path.is_file()] if root.exists() else []


def upload_head(path: str, headers: str) -> bytes:
    return f"PUT {PROXY}/{path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ("Content-Length: 1000000", b"x" * 500_000),
        ("Content-Length: 1000000", b""),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n"),
        ("Transfer-Encoding: chunked", b"5\r\nhel"),
    ],
    ids=["half", "nothing", "chunked", "half a chunk"],
)
def test_an_upload_that_is_cut_is_never_published(
    server: RunningServer, headers: str, sent: bytes
) -> None:
    """The client goes away in the middle: neither the new file nor a part of it appears."""
    assert server.request("PUT", f"{PROXY}/0/cut", b"old").status == 200
    for path in ("0/cut", "0/never"):
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(upload_head(path, headers) + sent)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(10)
            while connection.recv(65_536):
                pass
    assert "never" not in files(server)
    assert (server.folder / "artifacts" / "0" / "cut").read_bytes() == b"old"


def peak_memory(server: RunningServer) -> int:
    """Return the most memory that any process of the server has had, in bytes."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    pids = [server.process.pid, *map(int, children.read_text().split())]
    lines = [
        line
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    ]
    return max(int(line.split()[1]) * 1024 for line in lines)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_a_large_file_streams_both_ways_in_bounded_memory(server: RunningServer) -> None:
    """200 MB go up and come down, and the server's memory grows by a fraction of that."""
    size = 200 * MB
    before = peak_memory(server)
    blocks = (b"x" * MB for _ in range(200))
    headers = {"Content-Length": str(size)}
    assert server.request("PUT", f"{PROXY}/0/large", blocks, headers).status == 200
    received = 0
    with server.connect() as connection:
        connection.request("GET", f"{PROXY}/0/large")
        reply = connection.getresponse()
        while block := reply.read(MB):
            received += len(block)
    assert received == size
    assert peak_memory(server) - before < 50 * MB
    assert server.request("DELETE", f"{PROXY}/0/large").status == 200


def test_names_round_trip_over_real_http(server: RunningServer) -> None:
    """Unicode, spaces and percent signs are the same name on disk, in lists and in URLs."""
    name, encoded = "a b%20+#\u00e9\u65e5.txt", "a%20b%2520+%23%C3%A9%E6%97%A5.txt"
    assert server.request("PUT", f"{PROXY}/names/{encoded}", b"data").status == 200
    assert name in files(server)
    listed = server.call(f"{PROXY}?path=names")
    assert [each["path"] for each in listed["files"]] == [name]
    found = server.request("GET", f"{PROXY}/names/{encoded}", headers={"Range": "bytes=1-2"})
    assert (found.status, found.body) == (206, b"at")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_under_load_loses_no_acknowledged_write(tmp_path: Path, workers: int) -> None:
    """SIGTERM in the middle of many writes: exit code 0, and every 200 that was sent is kept."""
    with running_server(tmp_path, "--workers", str(workers)) as server:
        load = Load(server, new_run(server), clients=8)
        assert load.enough.wait(30)
        assert server.stop() == 0
        load.join()
    with trackstore.open(server.backend_url, server.artifacts_url) as tracker:
        stored = {point.step for point in tracker.iter_metric_history(load.run_id, "m")}
    assert load.refused == []
    assert set(load.acknowledged) <= stored
    assert "Traceback" not in server.log.read_text()


def test_a_request_under_way_is_finished_before_the_stop(tmp_path: Path) -> None:
    """An upload that has begun when SIGTERM comes is taken to its end and published."""
    with running_server(tmp_path) as server:
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(upload_head("0/late", "Content-Length: 10") + b"01234")
            await_staged(server)
            server.process.terminate()
            await_refusal(server)
            connection.sendall(b"56789")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        assert server.process.wait(30) == 0
    assert (tmp_path / "artifacts" / "0" / "late").read_bytes() == b"0123456789"


def await_staged(server: RunningServer) -> None:
    """Wait until the server has begun to write the upload."""
    wait_until(lambda: any((server.folder / "artifacts").rglob("*")))


def await_refusal(server: RunningServer) -> None:
    """Wait until the server answers no new connection."""

    def refused() -> bool:
        try:
            with socket.create_connection((server.host, server.port), timeout=1) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return not connection.recv(1)
        except OSError:
            return True

    wait_until(refused)


def test_several_workers_share_one_store(tmp_path: Path) -> None:
    """Whichever process answers, a write is seen by the next read."""
    with running_server(tmp_path, "--workers", "3") as server:
        run_id = new_run(server)
        for number in range(40):
            tag = {"run_id": run_id, "key": "t", "value": str(number)}
            server.call(f"{TRACKING}runs/set-tag", tag)
            data = server.call(f"{TRACKING}runs/get?run_id={run_id}")["run"]["data"]
            assert {"key": "t", "value": str(number)} in data["tags"]


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """A server whose first process is killed leaves none behind that holds the port."""
    with running_server(tmp_path, "--workers", "2") as server:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)
        await_refusal(server)
        with running_server(tmp_path, "--port", str(server.port)) as second:
            assert second.port == server.port


@pytest.fixture
def prefixed(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path, "--static-prefix", "/ml/flow/") as server:
        yield server


def test_a_static_prefix(prefixed: RunningServer) -> None:
    """The whole API lies under the prefix, and the greeting says so."""
    assert prefixed.url.endswith("/ml/flow")
    found = prefixed.call(f"/ml/flow{TRACKING}experiments/search", {})
    assert [each["name"] for each in found["experiments"]] == ["Default"]
    assert prefixed.request("GET", "/health").status == 404


def test_a_server_killed_in_the_middle_starts_again(tmp_path: Path) -> None:
    """kill -9 under load: what was acknowledged is there when the next server answers."""
    with running_server(tmp_path) as server:
        load = Load(server, new_run(server), clients=4)
        assert load.enough.wait(30)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        for pid in map(int, children.read_text().split()):
            os.kill(pid, signal.SIGKILL)
        assert server.process.wait(30) == 1
        load.join()
    with running_server(tmp_path) as server:
        seen, token = set(), ""
        while token is not None:
            query = f"run_id={load.run_id}&metric_key=m&page_token={token}"
            page = server.call(f"{TRACKING}metrics/get-history?{query}")
            seen |= {point["step"] for point in page["metrics"]}
            token = page.get("next_page_token")
    assert set(load.acknowledged) <= seen
