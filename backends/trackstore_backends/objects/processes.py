"""Connections and threads that belong to the process which made them."""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from trackstore.errors import InvalidState


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)


class PerProcess(Generic[T]):
    """Something that is made at its first use, and once more in a forked child."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._closed = False
        self._lock = Lock()
        _every.add(self)

    def get(self) -> T:
        with self._lock:
            if self._closed:
                raise InvalidState("this store is closed")
            if self._made is None:
                self._made = self._make()
            return self._made

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, None
            self._closed = True
        if made is not None:
            made.close()

    def abandon(self) -> None:
        """Forget what the parent made.

        It is kept alive: its finalizers would take locks that a thread of the parent may hold.
        """
        _abandoned.append(self._made)
        self._made = None
        self._lock = Lock()


_every: "WeakSet[PerProcess[Any]]" = WeakSet()
_abandoned: list[Closable | None] = []


def _abandon_all() -> None:
    for each in _every:
        each.abandon()


os.register_at_fork(after_in_child=_abandon_all)
