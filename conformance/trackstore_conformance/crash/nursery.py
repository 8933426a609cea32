"""Workers, forked from a process that has imported all they need: each takes a few milliseconds.

That process, the nursery, has no threads and opens no store, so that forking it is safe.  It also
waits for its workers, when it is told to: until then none of their ids can be another's.
"""

import atexit
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from select import select
from socket import socket, socketpair
from types import TracebackType
from typing import Any, Self

from trackstore_conformance.crash import child
from trackstore_conformance.outcomes import Outcome

PATIENCE = 60.0
"""Seconds after which a call that has not ended counts as one that never will."""


class Died(Exception):
    """The worker ended before it answered."""


class Worker:
    """Another process with a handle on the store; leaving the `with` block kills it."""

    def __init__(self, opener: child.Opener, url: str) -> None:
        self._socket, theirs = socketpair()
        self._socket.settimeout(PATIENCE)
        with theirs:
            self.pid = nursery().fork(theirs, opener, url)
        self._is_reaped = False
        assert child.receive(self._socket) == child.READY

    def ask(self, function: Callable[..., Any], *args: Any) -> Outcome:
        """Return how `function(handle, *args)` ended; `function` must be known by name.

        Raises `Died` if the worker did before it answered, and `TimeoutError`.
        """
        self.start(function, *args)
        return self.answer()

    def start(self, function: Callable[..., Any], *args: Any) -> None:
        try:
            child.send(self._socket, (function, args))
        except ConnectionError as error:
            raise Died from error

    def wait(self, seconds: float) -> None:
        """Return when the answer begins to come, or after so many seconds."""
        select([self._socket], [], [], seconds)

    def answer(self) -> Outcome:
        try:
            found: Outcome = child.receive(self._socket)
        except EOFError as error:
            raise Died from error
        return found

    def kill(self) -> None:
        """Kill it, without warning, and return once nothing is left of it."""
        if not self._is_reaped:
            with suppress(ProcessLookupError):  # its nursery is no more, and somebody waited for it
                os.kill(self.pid, signal.SIGKILL)
            nursery().reap(self.pid)
            self._is_reaped = True

    def last_answer(self) -> Outcome | None:
        """Return what a worker that was killed had just answered, if it came to it."""
        try:
            return self.answer()
        except Died:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._socket.close()


class Nursery:
    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=nurse, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def fork(self, peer: socket, opener: child.Opener, url: str) -> int:
        with self._asked():
            self._pipe.send((opener, url))
            assert self._process.pid is not None
            send_handle(self._pipe, peer.fileno(), self._process.pid)
            return self._reply()

    def reap(self, pid: int) -> None:
        with self._asked():
            self._pipe.send(pid)
            self._reply()

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Let nobody else read the answer, if this one is interrupted before it does."""
        try:
            yield
        except BaseException:
            nursery.cache_clear()
            self._process.kill()
            self.close()
            raise

    def _reply(self) -> int:
        assert self._pipe.poll(PATIENCE), "the nursery hangs"
        reply = self._pipe.recv()
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, int)
        return reply

    def close(self) -> None:
        """End the nursery, and with it every worker that is left."""
        self._pipe.close()
        self._process.join(PATIENCE)


@cache
def nursery() -> Nursery:
    """Start it once: it serves every test of this session."""
    made = Nursery()
    atexit.register(made.close)
    return made


def nurse(pipe: Connection) -> None:
    """Fork workers and wait for them, as the pipe says, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the session, which then ends us
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        pipe.send(_fork(pipe, *request) if isinstance(request, tuple) else _reap(request))


def _fork(pipe: Connection, opener: child.Opener, url: str) -> int | Exception:
    with socket(fileno=recv_handle(pipe)) as peer:
        try:
            opener(
                url
            ).close()  # which imports what the store needs, for this and all later workers
        except Exception as error:
            return RuntimeError(f"{url} does not open in another process: {error!r}")
        return child.fork_worker(peer, opener, url)


def _reap(pid: int) -> int:
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0  # it is of a nursery that is no more, and others have waited for it
