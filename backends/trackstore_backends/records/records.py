"""One handle's access to the journal: reads take no lock, and writes share a frame."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from trackstore.errors import TrackstoreError
from trackstore_backends.file.tree import sync
from trackstore_backends.records.errors import translated
from trackstore_backends.records.folder import Folder
from trackstore_backends.records.journal import Journal, write_at
from trackstore_backends.records.operations import Operation, joined
from trackstore_backends.records.rewriting import rewrite
from trackstore_backends.records.view import INDEX_HEAD, View, indexed_end

Request = tuple[Operation, bytes]
"""A write, and the same encoded."""

MUCH = 2**20
"""How many bytes of the journal are worth an index, or to be rid of."""


class Records:
    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock = Lock()
        self._view: View | None = None
        self._lasting = b""
        """The header of the journal whose name was last seen to survive a loss of power."""
        self._index_is_due = 0
        """Beyond which size of the journal to write a new index; 0 if there is no good one."""

    @contextmanager
    def opened(self) -> Iterator[Journal | None]:
        """Open the journal, if there is one."""
        with translated(), self._folder.for_reading() as file:
            yield None if file is None else Journal(file)

    @contextmanager
    def now(self, journal: Journal | None) -> Iterator[View]:
        """Show what the journal says now; no other thread changes it meanwhile."""
        with self._lock:
            yield View.of_nothing(b"") if journal is None else self._current(journal)

    def commit(self, requests: Sequence[Request]) -> Sequence[Any]:
        """Carry out writes of several threads and return the answer to each."""
        try:
            with translated(), self._folder.for_writing() as file:
                journal = Journal(file)
                self._make_lasting(journal)
                answers = self._write(journal, requests)
                with suppress(OSError):  # what was written has been; this is for later calls
                    self._tidy(journal)
        except TrackstoreError as error:
            return [error] * len(requests)
        return answers

    def forget(self) -> None:
        self._view = None

    def _current(self, journal: Journal) -> View:
        view = self._view
        self._view = None  # an error may leave it half way
        if view is None or not view.is_of(journal):
            view = self._loaded(journal)
        view.follow(journal)
        self._view = view
        return view

    def _loaded(self, journal: Journal) -> View:
        data = self._folder.read_index()
        view = View.loaded(data, journal)
        if view is None:
            self._index_is_due = 0
            return View.of_nothing(journal.header)
        self._index_is_due = next_index(view.index.end, len(data))
        return view

    def _make_lasting(self, journal: Journal) -> None:
        """Whoever made the journal may have been killed before that was on disk."""
        if self._lasting != journal.header:
            self._folder.make_lasting()
            self._lasting = journal.header

    def _write(self, journal: Journal, requests: Sequence[Request]) -> list[Any]:
        with self._lock:
            view = self._current(journal)
            self._view = None  # it is ahead of the journal until that is written
            answers, accepted = _apply(view, requests)
            if accepted:
                with _undone_if_it_fails(journal, view.index.end):
                    view.passed(journal.add(view.index.end, view.index.checksum, joined(accepted)))
            self._view = view
            last = view.index.last
        if accepted:
            with _undone_if_it_fails(journal, last), translated("unknown"):
                sync(journal.file)
        return answers

    def _tidy(self, journal: Journal) -> None:
        """Rewrite a journal that is mostly of purged runs, or write the index, if it is time."""
        with self._lock:
            view = self._view
            if view is None:
                return
            if view.index.dead > max(MUCH, view.index.end // 2):
                self._folder.remove_index()  # it has what was purged, and is of the old journal
                self._folder.replace("records", lambda file: rewrite(journal, view, file))
            elif view.index.end > (self._index_is_due or MUCH):
                self._write_index(view)

    def _write_index(self, view: View) -> None:
        known = indexed_end(self._folder.read_index(INDEX_HEAD), view.index.header)
        if self._index_is_due and view.index.end <= next_index(known, 0):  # others wrote it
            self._index_is_due = next_index(known, 0)
            return
        data = view.dumped()
        self._folder.replace("index", lambda file: write_at(file, data, 0))
        self._index_is_due = next_index(view.index.end, len(data))


def next_index(end: int, size: int) -> int:
    """Return how long the journal may become before it is worth another index of this size."""
    return end + max(MUCH, size)


def _apply(view: View, requests: Sequence[Request]) -> tuple[list[Any], list[bytes]]:
    """Return the answers, and what is to be written of those that are accepted."""
    answers: list[Any] = []
    accepted: list[bytes] = []
    for operation, data in requests:
        try:
            answers.append(view.apply(operation, view.index.end, len(data)))
            accepted.append(data)
        except TrackstoreError as refusal:
            answers.append(refusal)
    return answers, accepted


@contextmanager
def _undone_if_it_fails(journal: Journal, end: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with translated("unknown"):
            os.ftruncate(journal.file, end)
        raise
