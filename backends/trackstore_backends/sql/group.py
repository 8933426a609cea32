"""Group commit: concurrent calls of one handle share a transaction.

The first caller leads: it commits for all that wait.  Then it hands the baton to the head of the
queue and wakes those it served.  A plain lock would form no groups, since its holder takes it
again before the others wake.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from trackstore.errors import BackendError

Q = TypeVar("Q")
A = TypeVar("A")


class _Call(Generic[Q, A]):
    __slots__ = ("answer", "leads", "request", "wake")
    answer: A | Exception

    def __init__(self, request: Q) -> None:
        self.request = request
        self.leads = False
        self.wake = Lock()
        self.wake.acquire()


class GroupCommit(Generic[Q, A]):
    """Collects requests; `commit` carries out those of a group and returns the answer to each."""

    def __init__(self, commit: Callable[[Sequence[Q]], Sequence[A | Exception]]) -> None:
        self._commit = commit
        self._mutex = Lock()
        self._queue: list[_Call[Q, A]] = []
        self._led = False

    def submit(self, request: Q) -> A:
        """Return the answer to `request` once its transaction has ended, or raise it."""
        call: _Call[Q, A] = _Call(request)
        with self._mutex:
            self._queue.append(call)
            call.leads, self._led = not self._led, True
        if not call.leads:
            self._await(call)
        if call.leads:
            self._lead()
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer

    def _await(self, call: _Call[Q, A]) -> None:
        """Sleep until the call is answered or has the baton."""
        try:
            call.wake.acquire()
        except BaseException:  # such as Ctrl-C: leave the queue, but never with the baton
            with self._mutex:
                if call in self._queue:
                    self._queue.remove(call)
            if call.leads:
                self._hand_over()
            raise

    def _lead(self) -> None:
        with self._mutex:
            group, self._queue = self._queue, []
        answers: Sequence[A | Exception] = ()
        try:
            answers = self._commit([call.request for call in group])
        finally:
            self._hand_over()
            if not answers:  # the leader was stopped, perhaps between the commit and its reply
                stopped = BackendError("the write was interrupted", outcome="unknown")
                answers = [stopped] * len(group)
            for call, answer in zip(group, answers, strict=True):
                call.answer = answer
                call.wake.release()

    def _hand_over(self) -> None:
        with self._mutex:
            self._led = bool(self._queue)
            if self._led:
                self._queue[0].leads = True
                self._queue[0].wake.release()
