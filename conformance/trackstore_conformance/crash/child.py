"""What runs in a worker: one handle on a store, and the calls that come by a socket.

Answers leave by `sendmsg`, which no store needs for a file: so strace can count, and strike, the
writes of the store alone.
"""

import ctypes
import os
import pickle
import struct
import sys
from collections.abc import Callable
from socket import socket
from typing import Any

from trackstore.stores import Store
from trackstore_conformance.outcomes import Outcome, outcome

Opener = Callable[[str], Store]

READY = "ready"
_LENGTH = struct.Struct(">Q")
_PR_SET_PTRACER = 0x59616D61
_ANY = ctypes.c_ulong(-1)


def send(peer: socket, value: object) -> None:
    message = pickle.dumps(value)
    rest = memoryview(_LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[peer.sendmsg([rest]) :]


def receive(peer: socket) -> Any:
    """Return the next message; raise `EOFError` if the peer is gone, however it went."""
    (length,) = _LENGTH.unpack(_exactly(peer, _LENGTH.size))
    return pickle.loads(_exactly(peer, length))  # noqa: S301 - it comes from our own process


def _exactly(peer: socket, length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        try:
            part = peer.recv(length - len(found))
        except ConnectionError as error:
            raise EOFError from error
        if not part:
            raise EOFError
        found += part
    return bytes(found)


def serve(peer: socket, opener: Opener, url: str) -> None:
    """Open a handle and answer each (function, arguments) by how the call ended."""
    _let_any_process_trace()
    store = opener(url)
    send(peer, READY)
    try:
        while True:
            function, args = receive(peer)
            send(peer, _answer(function, store, *args))
    except EOFError:
        return


def _let_any_process_trace() -> None:
    """Some systems let a process be traced by its ancestors alone; strace is none of ours."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)


def _answer(function: Callable[..., Any], *args: Any) -> Outcome:
    try:
        found = outcome(function, *args)
    except Exception as error:
        return Outcome((f"raised {type(error).__name__}",), message=str(error), cause=repr(error))
    return found


def close(store: Store) -> None:
    """Close the handle; the last thing that a worker is asked."""
    store.close()


def fork_worker(peer: socket, opener: Opener, url: str) -> int:
    """Return the id of a new process that serves `peer`."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            serve(peer, opener, url)
            status = 0
        finally:
            os._exit(status)
    return pid
