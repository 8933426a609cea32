"""The calls under way on a store, for a `close` that waits for them and a fork that forgets."""

import os
from threading import Condition
from types import TracebackType
from weakref import WeakSet

from trackstore.errors import InvalidState


class Calls:
    """Lets calls in until it is closed: `with calls:` around each of them."""

    def __init__(self) -> None:
        self._closed = False
        self.forget()
        _every.add(self)

    def forget(self) -> None:
        self._under_way = 0
        self._changed = Condition()

    def __enter__(self) -> None:
        with self._changed:
            if self._closed:
                raise InvalidState("this store is closed")
            self._under_way += 1

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._under_way -= 1
            if self._closed:
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._under_way == 0)


_every: WeakSet[Calls] = WeakSet()


def _forget_all() -> None:
    """Forget the calls of the parent's threads: in the child, nothing will ever end them."""
    for calls in _every:
        calls.forget()


os.register_at_fork(after_in_child=_forget_all)
