"""Every write of a handle passes here, and shares its transaction with those that wait."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from trackstore.errors import TrackstoreError, Unavailable
from trackstore.model import Applied, Batch
from trackstore_backends.group import GroupCommit
from trackstore_backends.sql import logs
from trackstore_backends.sql.connections import Connections, tried
from trackstore_backends.sql.database import AddsPoints, Lost, PlainLogs, Session
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.logs import Log

T = TypeVar("T")
Operation = Callable[[Session, Labels], T]
Request = Log | Operation[Any]


class Writer:
    def __init__(self, connections: Connections, labels: Labels) -> None:
        self._connections = connections
        self._labels = labels
        self._add_points = isinstance(connections.database, AddsPoints)
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
            return tried(lambda: self._transact(requests))
        except Exception as error:
            if len(requests) > 1 and _is_of_one(error):
                return [self._commit([request])[0] for request in requests]
            return [error] * len(requests)

    def _transact(self, requests: Sequence[Request]) -> Sequence[Any]:
        points = logs.plain(self._labels, requests) if self._add_points else None
        answers = self._write_plain(requests, points) if points else None
        if answers is not None:
            return answers
        committed = False
        try:
            answers = self._connections.write(lambda session: self._apply(session, requests))
            committed = True
        finally:
            self._labels.end(committed=committed)
        return answers

    def _write_plain(self, requests: Sequence[Any], points: PlainLogs) -> list[Any] | None:
        """Write points, and if the reply is lost once more: the same point is stored only once.

        Who is refused then may have been served before, so his outcome stays unknown.
        """
        try:
            return self._add(requests, points)
        except Lost as lost:
            if lost.outcome == "none":
                raise
            try:
                answers = tried(lambda: self._add(requests, points)) or []
            except TrackstoreError:
                raise lost from None
            return [lost if isinstance(each, Exception) else each for each in answers]

    def _add(self, requests: Sequence[Any], points: PlainLogs) -> list[Any] | None:
        add = cast("AddsPoints", self._connections.database).add_points
        found = self._connections.write_at_once(partial(add, logs=points))
        return None if found is None else list(logs.verdicts_on(requests, dict(found)))

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
