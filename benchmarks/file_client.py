"""The load of artifacts, the same for every server: keep-alive connections, each in a thread."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import repeat
from pathlib import Path
from time import perf_counter

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
BLOCK = 1024 * 1024


def send_small(port: int, folder: str, number: int, body: bytes, connections: int) -> float:
    """Upload so many files, in folders of a hundred, and return how many a second."""

    def send(connection: HTTPConnection, path: str) -> None:
        connection.request("PUT", path, body, {"Content-Type": "application/octet-stream"})
        _answered(connection)

    return _spread(port, send, paths(folder, number), connections)


def fetch_small(port: int, folder: str, number: int, body: bytes, connections: int) -> float:
    """Download them again, look at every byte, and return how many a second."""

    def fetch(connection: HTTPConnection, path: str) -> None:
        connection.request("GET", path)
        assert _answered(connection) == body, path

    return _spread(port, fetch, paths(folder, number), connections)


def paths(folder: str, number: int) -> list[str]:
    return [f"{PROXY}/{folder}/{each // 100}/{each}.bin" for each in range(number)]


def send_large(port: int, name: str, source: Path) -> float:
    """Upload one file, and return how many of its kind a second."""
    begun = perf_counter()
    with (
        closing(HTTPConnection("127.0.0.1", port, timeout=600)) as connection,
        source.open("rb") as file,
    ):
        headers = {"Content-Length": str(source.stat().st_size)}
        connection.request("PUT", f"{PROXY}/{name}", _blocks(file.read), headers)
        _answered(connection)
    return 1 / (perf_counter() - begun)


def fetch_large(port: int, name: str, size: int) -> float:
    """Download it again, and return how many of its kind a second."""
    begun, got = perf_counter(), 0
    with closing(HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
        connection.request("GET", f"{PROXY}/{name}")
        reply = connection.getresponse()
        for block in _blocks(reply.read):
            got += len(block)
    assert got == size
    return 1 / (perf_counter() - begun)


def _blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while block := read(BLOCK):
        yield block


def _answered(connection: HTTPConnection) -> bytes:
    reply = connection.getresponse()
    body = reply.read()
    assert reply.status == 200, (reply.status, body[:200])
    return body


def _spread(
    port: int, do: Callable[[HTTPConnection, str], None], every: list[str], connections: int
) -> float:
    def work(mine: list[str]) -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
            for one, path in zip(repeat(connection), mine):
                do(one, path)

    begun = perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, (every[start::connections] for start in range(connections))))
    return len(every) / (perf_counter() - begun)
