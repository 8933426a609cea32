"""Every write of a handle passes here, and shares its transaction with those that wait."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trackstore.errors import TrackstoreError, Unavailable
from trackstore.model import Applied, Batch
from trackstore_backends.sql import logs
from trackstore_backends.sql.connections import Connections
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.group import GroupCommit
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.logs import Log

T = TypeVar("T")
Operation = Callable[[Session, Labels], T]
Request = Log | Operation[Any]


class Writer:
    def __init__(self, connections: Connections, labels: Labels) -> None:
        self._connections = connections
        self._labels = labels
        self._group: GroupCommit[Request, Any] = GroupCommit(self._commit)

    def log(self, run_id: str, batch: Batch) -> Applied:
        with self._connections.gate:
            applied: Applied = self._group.submit(Log(run_id, batch))
        return applied

    def run(self, operation: Operation[T]) -> T:
        with self._connections.gate:
            result: T = self._group.submit(operation)
        return result

    def _commit(self, requests: Sequence[Request]) -> Sequence[Any]:
        """Carry out a group in one transaction; if that fails for some, each in its own."""
        try:
            return self._transact(requests)
        except Exception as error:
            if len(requests) > 1 and _is_of_one(error):
                return [self._commit([request])[0] for request in requests]
            return [error] * len(requests)

    def _transact(self, requests: Sequence[Request]) -> list[Any]:
        committed = False
        try:
            answers = self._connections.write(lambda session: self._apply(session, requests))
            committed = True
        finally:
            self._labels.end(committed=committed)
        return answers

    def _apply(self, session: Session, requests: Sequence[Request]) -> list[Any]:
        """Return the answers.  All of a group are under way at once, so any order is right."""
        batches = [request for request in requests if isinstance(request, Log)]
        answers = [
            None if isinstance(request, Log) else self._answer(session, request)
            for request in requests
        ]
        verdicts = iter(logs.apply(session, self._labels, batches) if batches else ())
        return [next(verdicts) if answer is None else answer for answer in answers]

    def _answer(self, session: Session, operation: Operation[Any]) -> Any:
        try:
            return operation(session, self._labels)
        except TrackstoreError as refusal:
            return refusal


def _is_of_one(error: Exception) -> bool:
    """Tell whether a failure may be the fault of one request, so that the others can succeed."""
    if isinstance(error, TrackstoreError):
        return error.outcome == "none" and not isinstance(error, Unavailable)
    return True
