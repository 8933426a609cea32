"""Group commit: concurrent calls of one handle share a transaction.

The first caller leads: it commits for all that wait.  Then it hands the baton to the head of the
queue and wakes those it served.  A plain lock would form no groups, since its holder takes it
again before the others wake.
"""

from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import Generic, TypeVar

from trackstore.errors import BackendError

Q = TypeVar("Q")
A = TypeVar("A")


_STOPPED = BackendError("the write was interrupted", outcome="unknown")
"""The answer to calls whose leader was stopped, perhaps between the commit and its reply."""


class _Call(Generic[Q, A]):
    __slots__ = ("answer", "group", "request", "wake")

    def __init__(self, request: Q) -> None:
        self.request = request
        self.answer: A | Exception = _STOPPED
        self.group: list[_Call[Q, A]] = []
        self.wake = Lock()
        self.wake.acquire()


class GroupCommit(Generic[Q, A]):
    """Collects requests; `commit` carries out those of a group and returns the answer to each."""

    def __init__(self, commit: Callable[[Sequence[Q]], Sequence[A | Exception]]) -> None:
        self._commit = commit
        self._mutex = Lock()
        self._queue: list[_Call[Q, A]] = []
        self._leader: _Call[Q, A] | None = None

    def submit(self, request: Q) -> A:
        """Return the answer to `request` once its transaction has ended, or raise it."""
        call: _Call[Q, A] = _Call(request)
        try:
            self._take_part(call)
        except BaseException:  # such as Ctrl-C, at any point: leave no one waiting
            with self._mutex:
                if call in self._queue:
                    self._queue.remove(call)
            self._settle(call)
            raise
        if isinstance(call.answer, Exception):
            raise copied(call.answer)
        return call.answer

    def _take_part(self, call: _Call[Q, A]) -> None:
        with self._mutex:
            self._queue.append(call)
            is_first = self._leader is None
            if is_first:
                self._leader = call
        if not is_first:
            call.wake.acquire()
        if self._leader is call:
            self._lead(call)

    def _lead(self, call: _Call[Q, A]) -> None:
        with self._mutex:
            call.group, self._queue = self._queue, []
        answers = self._commit([member.request for member in call.group])
        for member, answer in zip(call.group, answers, strict=True):
            member.answer = answer
        self._settle(call)

    def _settle(self, call: _Call[Q, A]) -> None:
        """Hand the baton on and wake those whom `call` has led; harmless if repeated."""
        with self._mutex:
            if self._leader is call:
                self._leader = self._queue[0] if self._queue else None
            for waiting in [self._leader, *call.group]:
                if waiting is not None and waiting.wake.locked():
                    waiting.wake.release()


def copied(error: Exception) -> Exception:
    """Return an exception that a thread may raise without sharing its traceback."""
    made = copy(error)
    made.__cause__ = error.__cause__
    return made
