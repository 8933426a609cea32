"""File systems that are open: one for all threads, or one for each call that is under way.

A child of a fork abandons its parent's, and opens its own.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from trackstore.errors import Unavailable
from trackstore_backends.fsspec_store.tree import Tree


class Connections:
    def __init__(
        self, connect: Callable[[], Tree], disconnect: Callable[[Tree], None], *, is_shared: bool
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._is_shared = is_shared
        self._is_closed = False
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._lock = Lock()
        self._idle: list[Tree] = []

    def take(self) -> Tree:
        """Return one that nobody else uses, unless they are shared."""
        if self._process != os.getpid():
            self._forget()
        with self._lock:
            if self._idle:
                return self._idle[-1] if self._is_shared else self._idle.pop()
            if self._is_shared:
                self._idle.append(self._connect())
                return self._idle[-1]
        return self._connect()

    def give_back(self, tree: Tree) -> None:
        if self._is_shared:
            return
        with self._lock:
            if not self._is_closed:
                self._idle.append(tree)
                return
        self._disconnect(tree)

    def end(self, tree: Tree, error: BaseException | None = None) -> None:
        """Give one back, or drop it if `error` says that its connection broke."""
        (self.drop if isinstance(error, Unavailable) else self.give_back)(tree)

    def drop(self, tree: Tree) -> None:
        """Close a broken one, and all that are idle: most likely they are broken too."""
        if not self._is_shared:
            self._disconnect_idle()
            self._disconnect(tree)

    @contextmanager
    def use(self) -> Iterator[Tree]:
        """Lend one; if the connection breaks, it is not lent again."""
        tree = self.take()
        try:
            yield tree
        except BaseException as error:
            self.end(tree, error)
            raise
        self.end(tree)

    def close(self) -> None:
        """Close those that are idle; the others are closed when they are given back."""
        self._is_closed = True
        if self._process == os.getpid():
            self._disconnect_idle()

    def _disconnect_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for tree in idle:
            self._disconnect(tree)
