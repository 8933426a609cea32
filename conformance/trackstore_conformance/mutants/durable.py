"""Mutants that only a store on disk can be: what other processes see, what a kill leaves, and what
a full disk or a loss of power costs."""

import os
import pickle
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

from msgspec.structs import replace

from trackstore.errors import BackendError, Unavailable
from trackstore.model import Applied, Batch, Run
from trackstore.stores import BackendStore
from trackstore_conformance.mutants.journal import HEAD, Journal
from trackstore_conformance.mutants.wrapped import Broken, Mutant
from trackstore_conformance.mutants.writing import CheckThenAct, TagsInASecondTransaction

ON_DISK = "sqlite:///{folder}/store.db"
NUMBER = struct.Struct(">I")


class AcknowledgedEarly(Mutant):
    """Keeps a batch in memory until the next call."""

    killed_by = "B-DUR-01"
    near = ("B-EXP-01", "B-EXP-02", "B-EXP-05")
    url = ON_DISK

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.waiting: list[tuple[str, Batch]] = []

    def log(self, run_id: str, batch: Batch) -> Applied:
        self.flush()
        self.waiting.append((run_id, batch))
        return Applied()

    def get_run(self, run_id: str) -> Run:
        self.flush()
        return super().get_run(run_id)

    def close(self) -> None:
        self.flush()
        super().close()

    def flush(self) -> None:
        while self.waiting:
            super().log(*self.waiting.pop())


class BatchInTwoWrites(Mutant):
    """Writes the tags of a batch by a transaction of their own, on a store on disk."""

    killed_by = "B-BAT-03"
    url = ON_DISK

    def log(self, run_id: str, batch: Batch) -> Applied:
        super().log(run_id, replace(batch, tags={}, deleted_tags=()))
        return super().log(run_id, Batch(tags=batch.tags, deleted_tags=batch.deleted_tags))


class LastRecordDropped(Journal):
    """Takes the last record for one that was cut, if the process before it did not close."""

    killed_by = "B-DUR-01"

    def catch_up(self, file: int) -> None:
        is_first = not self.read_up_to
        super().catch_up(file)
        mark = self.path.with_suffix(".open")
        if is_first and self.read_up_to and is_of_a_dead_process(mark):
            self.drop_last(file)
        mark.write_text(str(os.getpid()))

    def drop_last(self, file: int) -> None:
        data = os.pread(file, self.read_up_to, 0)
        self.forget()
        while record := self.first_record(data):
            data = data[HEAD.size + len(record) :]
            if data:
                self.replay(record)
                self.read_up_to += HEAD.size + len(record)
        os.ftruncate(file, self.read_up_to)

    def close(self) -> None:
        if self.read_up_to:
            self.path.with_suffix(".open").unlink(missing_ok=True)
        super().close()


def is_of_a_dead_process(mark: Path) -> bool:
    try:
        os.kill(int(mark.read_text()), 0)
    except ProcessLookupError:
        return True
    except FileNotFoundError:
        return False
    return False


class RewrittenInPlace(Journal):
    """Empties the file and writes all of it anew, at each write."""

    killed_by = "B-DUR-01"

    def append(self, file: int, record: bytes) -> None:
        whole = os.pread(file, self.read_up_to, 0)
        whole += HEAD.pack(len(record), crc32(record)) + record
        os.ftruncate(file, 0)
        self.put_down(file, whole, 0)
        self.sync(file)
        self.read_up_to = len(whole)


class TornRecordRaises(Journal):
    """Writes the head of a record first, and cannot read a record that was cut after it."""

    killed_by = "B-DUR-03"

    def put_down(self, file: int, data: bytes, at: int) -> None:
        super().put_down(file, data[: HEAD.size], at)
        super().put_down(file, data[HEAD.size :], at + HEAD.size)

    def first_record(self, data: bytes) -> bytes:
        record = super().first_record(data)
        if data and not record:
            raise BackendError("the journal is damaged: repair it")
        return record


class LockFileLeft(Journal):
    """Locks by a file that it removes after the call."""

    killed_by = "B-DUR-03"

    @contextmanager
    def opened(self) -> Iterator[int]:
        lock = self.path.with_suffix(".lock")
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise Unavailable("another process has the lock") from error
        try:
            with super().opened() as file:
                yield file
        finally:
            lock.unlink()


class ReplayedTwice(Journal):
    """Keeps a snapshot and empties the journal, but not in one step: a kill leaves it both.

    Its records are numbered, and one that is in the snapshot already is none that it awaits.
    """

    killed_by = "B-DUR-03"
    EVERY = 4

    def append(self, file: int, record: bytes) -> None:
        self.count += 1
        super().append(file, NUMBER.pack(self.count) + record)
        if self.count % self.EVERY == 0:
            fresh = self.path.with_suffix(".new")
            fresh.write_bytes(pickle.dumps((self.model, self.count)))
            fresh.rename(self.path.with_suffix(".snapshot"))
            os.ftruncate(file, 0)
            self.read_up_to = 0

    def catch_up(self, file: int) -> None:
        self.forget()
        self.count = 0
        with suppress(FileNotFoundError):
            snapshot = self.path.with_suffix(".snapshot").read_bytes()
            self.model, self.count = pickle.loads(snapshot)  # noqa: S301 - our own
        super().catch_up(file)

    def replay(self, record: bytes) -> None:
        (number,) = NUMBER.unpack_from(record)
        if number != self.count + 1:
            raise BackendError("the journal contradicts itself: repair it")
        self.count = number
        super().replay(record[NUMBER.size :])


class NeverSynced(Journal):
    """Leaves it to the system when a record reaches the disk."""

    killed_by = "B-DUR-02"

    def sync(self, file: int) -> None: ...


class FolderNeverSynced(Journal):
    """Syncs the file, and never the folder that names it."""

    killed_by = "B-DUR-02"

    def sync_folder(self) -> None: ...


class NoChecksum(Journal):
    """Takes a record for whole if it is long enough."""

    killed_by = "B-DUR-02"

    def first_record(self, data: bytes) -> bytes:
        if len(data) < HEAD.size:
            return b""
        length, _ = HEAD.unpack_from(data)
        record = data[HEAD.size : HEAD.size + length]
        return record if len(record) == length else b""


class FailedWriteAcknowledged(Journal):
    """Takes no notice when the disk fails."""

    killed_by = "B-DUR-04"

    def put_down(self, file: int, data: bytes, at: int) -> None:
        with suppress(OSError):
            super().put_down(file, data, at)


class HalfRecordKept(Journal):
    """Appends at the end of the file, and so after what a failed write has left there."""

    killed_by = "B-DUR-04"

    def put_down(self, file: int, data: bytes, at: int) -> None:
        at = os.fstat(file).st_size
        super().put_down(file, data[: HEAD.size], at)
        super().put_down(file, data[HEAD.size :], at + HEAD.size)

    def cut_off(self, file: int) -> None: ...


class RawErrors(Journal):
    """Lets the errors of the system pass to its callers."""

    killed_by = "B-DUR-04"

    def sync(self, file: int) -> None:
        os.fsync(file)

    def write(self, method: str, *args: object) -> object:
        try:
            return super().write(method, *args)
        except BackendError as error:
            raise error.__cause__ or error from error


class DeadAfterAFailure(Journal):
    """Refuses every call after one that the disk failed."""

    killed_by = "B-DUR-04"

    def write(self, method: str, *args: object) -> object:
        try:
            return super().write(method, *args)
        except BackendError:
            self.close()
            raise


class UncertainSaidToBeNone(Journal):
    """Says that nothing was written when only the sync has failed."""

    killed_by = "B-ERR-02"
    near = ("B-EXP-01", "B-PAR-02", "B-TAG-01")

    def sync(self, file: int) -> None:
        os.fsync(file)


class CheckThenActInProcesses(CheckThenAct):
    """Looks whether a name is free and takes it later, on a store that processes share."""

    killed_by = "B-EXP-02"
    url = ON_DISK


class TagsLaterInProcesses(TagsInASecondTransaction):
    """Writes the tags of a batch later, on a store that processes share."""

    killed_by = "B-BAT-02"
    url = ON_DISK


DURABLE: tuple[type[Broken], ...] = (
    AcknowledgedEarly,
    BatchInTwoWrites,
    LastRecordDropped,
    RewrittenInPlace,
    TornRecordRaises,
    LockFileLeft,
    ReplayedTwice,
    NeverSynced,
    FolderNeverSynced,
    NoChecksum,
    FailedWriteAcknowledged,
    HalfRecordKept,
    RawErrors,
    DeadAfterAFailure,
    UncertainSaidToBeNone,
    CheckThenActInProcesses,
    TagsLaterInProcesses,
)
