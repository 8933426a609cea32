"""Each fault really happens to the connections that pass through the proxy."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from time import monotonic

import pytest

from trackstore_conformance.faults.proxy import LOOPBACK, Fault, Proxy

HELLO, WORLD = b"hello, server\n", b"hello, client\n"


class Greeter(StreamRequestHandler):
    """Answers every line; the server keeps what it was sent."""

    def handle(self) -> None:
        with suppress(OSError):
            for line in self.rfile:
                self.server.received.append(line)
                self.wfile.write(WORLD)


class Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), Greeter)
        self.received: list[bytes] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.server_address) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connect(proxy) as client:
        yield client


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), 5)


def greet(client: socket.socket) -> bytes:
    """Return what comes back; an end of the connection ends it."""
    client.sendall(HELLO)
    return listen(client)


def listen(client: socket.socket, length: int = len(WORLD)) -> bytes:
    received = b""
    while len(received) < length and (chunk := client.recv(length - len(received))):
        received += chunk
    return received


def test_without_a_fault_all_passes(proxy: Proxy, client: socket.socket) -> None:
    """Bytes come as they are, on one connection and on many, and ends are passed on."""
    assert [greet(client) for _ in range(3)] == [WORLD] * 3
    with connect(proxy) as other:
        assert greet(other) == WORLD
        other.shutdown(socket.SHUT_WR)
        assert other.recv(1) == b""
    assert not proxy.fired


def test_a_delay_takes_its_time(proxy: Proxy, client: socket.socket) -> None:
    """Each way is slower, and comes in two pieces."""
    proxy.arm(Fault("delay", "both", lasting=True, seconds=0.1))
    begin = monotonic()
    client.sendall(HELLO)
    assert client.recv(100) == WORLD[: len(WORLD) // 2]
    assert listen(client, len(WORLD) // 2) == WORLD[len(WORLD) // 2 :]
    assert monotonic() - begin >= 0.2


def test_a_long_request_is_delayed_once(proxy: Proxy, client: socket.socket) -> None:
    """A large file is as late as a small one: stores wait for each reply only so long."""
    proxy.arm(Fault("delay", "request", lasting=True, seconds=0.1))
    begin = monotonic()
    client.sendall(b"x" * 2_000_000 + HELLO)
    assert listen(client, len(WORLD)) == WORLD
    assert 0.1 <= monotonic() - begin < 1.5


def test_a_refusal_closes_the_port(proxy: Proxy, client: socket.socket) -> None:
    """Old connections are reset, new ones refused, and later the same port answers again."""
    greet(client)
    proxy.arm(Fault("refuse"))
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as other:
        assert greet(other) == WORLD


def test_a_drop_resets_what_is_open(proxy: Proxy, client: socket.socket) -> None:
    """And nothing else."""
    greet(client)
    proxy.arm(Fault("drop"))
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as other:
        assert greet(other) == WORLD


@pytest.mark.parametrize(("share", "length"), [(0.0, 0), (0.5, 7), (1.0, 14)])
def test_a_request_is_cut(
    proxy: Proxy, client: socket.socket, server: Server, share: float, length: int
) -> None:
    """As much passes as the fault says; the client is reset, and the server is not."""
    proxy.arm(Fault("reset", "request", share=share))
    with pytest.raises(ConnectionResetError):
        greet(client)
    assert proxy.fired
    assert proxy.settle(5)
    assert b"".join(server.received) == HELLO[:length]


def test_a_reply_is_lost(proxy: Proxy, client: socket.socket, server: Server) -> None:
    """The server has answered, and the client never hears of it."""
    proxy.arm(Fault("reset", "reply"))
    with pytest.raises(ConnectionResetError):
        greet(client)
    assert proxy.settle(5)
    assert server.received == [HELLO]


def test_a_reply_is_cut_in_its_midst(proxy: Proxy, client: socket.socket) -> None:
    """The client gets a part of it, and then a regular end."""
    proxy.arm(Fault("close", "reply", share=0.5))
    assert greet(client) == WORLD[: len(WORLD) // 2]


@pytest.mark.parametrize("exchange", [1, 2, 3])
def test_the_chosen_exchange_is_struck(proxy: Proxy, client: socket.socket, exchange: int) -> None:
    """Those before it pass, also on another connection."""
    greet(client)
    proxy.arm(Fault("close", "reply", exchange=exchange))
    with connect(proxy) as other:
        turns = [other, client, other]
        assert all(greet(turns[number]) == WORLD for number in range(exchange - 1))
        assert not proxy.fired
        assert greet(turns[exchange - 1]) == b""
        assert proxy.fired


def test_a_black_hole_answers_nothing(proxy: Proxy, client: socket.socket, server: Server) -> None:
    """Connections can be made and written to; nothing arrives, then or later."""
    proxy.arm(Fault("silence", "request", lasting=True))
    with connect(proxy) as other:
        for each in (client, other):
            each.settimeout(0.05)
            with pytest.raises(TimeoutError):
                greet(each)
        proxy.heal()
        with pytest.raises(TimeoutError):
            greet(other)
    assert server.received == []
    with connect(proxy) as fresh:
        assert greet(fresh) == WORLD


def test_a_swallowed_reply_never_comes(proxy: Proxy, client: socket.socket, server: Server) -> None:
    """The server has done its work; on another connection all is well."""
    proxy.arm(Fault("silence", "reply"))
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        greet(client)
    assert server.received == [HELLO]
    with connect(proxy) as other:
        assert greet(other) == WORLD


def test_a_held_reply_comes_later(proxy: Proxy, client: socket.socket) -> None:
    """It is delivered when the fault is over, before anything that comes after."""
    proxy.arm(Fault("hold", "reply"))
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        greet(client)
    client.settimeout(5)
    proxy.heal()
    assert listen(client) == WORLD
    assert greet(client) == WORLD


@pytest.mark.parametrize("side", ["request", "reply"])
def test_one_bit_is_flipped(proxy: Proxy, client: socket.socket, server: Server, side: str) -> None:
    """One bit of one chunk, where the fault says."""
    proxy.arm(Fault("flip", side, share=0.25))
    received = greet(client)
    sent, arrived = (HELLO, server.received[0]) if side == "request" else (WORLD, received)
    differing = int.from_bytes(sent, "little") ^ int.from_bytes(arrived, "little")
    assert differing == 1 << int(len(sent) * 8 * 0.25)
    assert greet(client) == WORLD


def test_all_can_be_reset(proxy: Proxy, client: socket.socket) -> None:
    """Whoever waits for ever is set free."""
    proxy.arm(Fault("silence", "request", lasting=True))
    client.sendall(HELLO)
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_server_that_is_away_is_away(server: Server) -> None:
    """The proxy does not look like a server when there is none."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        nobody = taken.getsockname()
    with Proxy(nobody) as proxy, pytest.raises(ConnectionResetError), connect(proxy) as client:
        client.recv(1)


def test_a_server_that_vanishes_has_answered_before(proxy: Proxy, server: Server) -> None:
    """The reply is lost, and then nobody listens until the fault is over."""
    with connect(proxy) as client:
        proxy.arm(Fault("vanish", "reply"))
        with pytest.raises(ConnectionResetError):
            greet(client)
    assert server.received == [HELLO]
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as other:
        assert greet(other) == WORLD
