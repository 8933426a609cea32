"""Who may use a handle's connections: calls, until the handle closes, and never across a fork.

A connection must not be alive in two processes.  SQLite even keeps its file locks in tables of
the process, so that a child that inherits an open connection, and only abandons it, goes on
believing that it holds its parent's locks.  Hence every handle lets the calls under way end and
closes its connections just before a fork; parent and child then each open their own.
"""

import os
from collections.abc import Callable
from threading import Condition, Lock, get_ident
from types import TracebackType
from weakref import WeakSet

from trackstore.errors import InvalidState


class Gate:
    """Knows which threads are in a call: `with gate:` around each of them.

    A thread, rather than a number, heals by itself after a Ctrl-C between the two ends of a call.
    """

    def __init__(self, disconnect: Callable[[], None]) -> None:
        self._disconnect = disconnect
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._inside: set[int] = set()
        self._is_held = False
        self._is_closed = False
        with _forking:
            _gates.add(self)

    def __enter__(self) -> None:
        with self._lock:
            while self._is_held:
                self._changed.wait()
            if self._is_closed:
                raise InvalidState("the store is closed")
            self._inside.add(get_ident())

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside.discard(get_ident())
            if self._is_held or self._is_closed:
                self._changed.notify_all()

    def close(self) -> None:
        """Refuse new calls, wait for those under way, and disconnect."""
        with self._lock:
            self._is_closed = True
            self._empty()

    def hold(self) -> None:
        """Disconnect when no call is under way, and keep all threads out until `resume`.

        The lock stays taken, so that no other thread has it when the process forks.
        """
        self._lock.acquire()
        _held.append(self)
        self._is_held = True
        self._empty()

    def resume(self) -> None:
        self._is_held = False
        self._changed.notify_all()
        self._lock.release()

    def _empty(self) -> None:
        while self._inside - {get_ident()}:
            self._changed.wait()
        self._disconnect()


_gates: WeakSet[Gate] = WeakSet()
_held: list[Gate] = []
_forking = Lock()


def _before_fork() -> None:
    _forking.acquire()
    for gate in list(_gates):
        gate.hold()


def _after_fork() -> None:
    while _held:
        _held.pop().resume()
    _forking.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
