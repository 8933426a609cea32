"""A right backend store on disk, as small as can be, for mutants of what is on a disk."""

import fcntl
import os
import pickle
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Self
from zlib import crc32

from trackstore import errors
from trackstore.model import Applied, Batch, Experiment, ExperimentChanges, Page, Run, RunChanges
from trackstore.stores import BackendStore, Guarantees
from trackstore_conformance.crash.backend import Paged
from trackstore_conformance.mutants.wrapped import Broken
from trackstore_conformance.sequential.model import Model, Refused

HEAD = struct.Struct(">II")
"""Length and checksum of what follows."""


class Journal(Broken, BackendStore):
    """A file of calls, one record each; what they come to is known by the suite's own model.

    Every call opens and locks the file, reads what others have added, and appends its own record
    if it writes.  A record that is cut or not whole ends the journal: nobody was told of it.
    """

    guarantees: ClassVar = Guarantees(durability="power-loss")
    url = "journal://{folder}/runs"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mutex = Lock()
        self.is_closed = False
        self.forget()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Path(url.partition("://")[2]))

    def forget(self) -> None:
        self.model = Model()
        self.read_up_to = 0

    def close(self) -> None:
        with self.mutex:
            self.is_closed = True

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Yield the file, locked and read to its end."""
        with self.mutex:
            if self.is_closed:
                raise errors.InvalidState("the journal is closed")
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                self.catch_up(file)
                yield file
            finally:
                os.close(file)

    def catch_up(self, file: int) -> None:
        size = os.fstat(file).st_size
        rest = os.pread(file, size - self.read_up_to, self.read_up_to)
        while record := self.first_record(rest):
            self.replay(record)
            self.read_up_to += HEAD.size + len(record)
            rest = rest[HEAD.size + len(record) :]
        if rest:
            self.cut_off(file)

    def cut_off(self, file: int) -> None:
        """Remove what follows the last whole record."""
        os.ftruncate(file, self.read_up_to)

    def first_record(self, data: bytes) -> bytes:
        """Return what the first record holds, or nothing if it is not whole."""
        if len(data) < HEAD.size:
            return b""
        length, checksum = HEAD.unpack_from(data)
        record = data[HEAD.size : HEAD.size + length]
        return record if len(record) == length and crc32(record) == checksum else b""

    def replay(self, record: bytes) -> None:
        method, args = pickle.loads(record)  # noqa: S301 - our own
        getattr(self.model, method)(*args)

    def write(self, method: str, *args: Any) -> Any:
        try:
            with self.opened() as file:
                answer = asked(self.model, method, *args)
                try:
                    self.append(file, pickle.dumps((method, args)))
                except BaseException:
                    self.forget()  # the model is ahead of the file
                    raise
                return answer
        except OSError as error:
            raise errors.BackendError("the disk failed") from error

    def append(self, file: int, record: bytes) -> None:
        if not self.read_up_to:
            self.sync_folder()
        self.put_down(file, HEAD.pack(len(record), crc32(record)) + record, self.read_up_to)
        self.sync(file)
        self.read_up_to += HEAD.size + len(record)

    def put_down(self, file: int, data: bytes, at: int) -> None:
        while data:
            written = os.pwrite(file, data, at)
            data, at = data[written:], at + written

    def sync(self, file: int) -> None:
        try:
            os.fsync(file)
        except OSError as error:
            raise errors.BackendError("the disk failed", outcome="unknown") from error

    def sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, method: str, *args: Any) -> Any:
        try:
            with self.opened():
                return asked(Paged(self.model), method, *args)
        except OSError as error:
            raise errors.BackendError("the disk failed") from error

    def create_experiment(self, experiment: Experiment) -> Experiment:
        made: Experiment = self.write("create_experiment", experiment)
        return made

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        applied: Applied = self.write("update_experiment", experiment_id, changes)
        return applied

    def create_run(self, run: Run) -> Run:
        made: Run = self.write("create_run", run)
        return made

    def update_run(self, run_id: str, changes: RunChanges) -> None:
        self.write("update_run", run_id, changes)

    def log(self, run_id: str, batch: Batch) -> Applied:
        applied: Applied = self.write("log", run_id, batch)
        return applied

    def purge_run(self, run_id: str) -> None:
        self.write("purge_run", run_id)

    def purge_experiment(self, experiment_id: str) -> None:
        self.write("purge_experiment", experiment_id)

    def get_experiment(self, experiment_id: str) -> Experiment:
        found: Experiment = self.read("get_experiment", experiment_id)
        return found

    def find_experiment(self, name: str) -> Experiment:
        found: Experiment = self.read("find_experiment", name)
        return found

    def scan_experiments(self, *args: Any) -> Page[Any, Any]:
        return self.page("scan_experiments", args)

    def get_run(self, run_id: str) -> Run:
        found: Run = self.read("get_run", run_id)
        return found

    def scan_runs(self, *args: Any) -> Page[Any, Any]:
        return self.page("scan_runs", args)

    def metric_history(self, *args: Any) -> Page[Any, Any]:
        return self.page("metric_history", args)

    def page(self, method: str, args: Sequence[Any]) -> Page[Any, Any]:
        found: Page[Any, Any] = self.read(method, *args)
        return found


def asked(model: Any, method: str, *args: Any) -> Any:
    """Call the model, and refuse what it refuses by the first of the ways that are right."""
    try:
        return getattr(model, method)(*args)
    except Refused as refused:
        name, _, field = refused.ways[0].partition(" ")
        kind: type[errors.TrackstoreError] = getattr(errors, name)
        if issubclass(kind, errors.AlreadyExists):
            raise kind("it exists", field=field) from refused
        raise kind("that cannot be") from refused
