"""Line stores that are broken on purpose, each in one way: a fault script must find every one."""

import json
from contextlib import suppress
from socket import socket
from typing import Any, ClassVar

from msgspec.structs import replace

from line_store.client import CHUNK, Connection, LineStore
from line_store.lines import Damaged, from_line, to_line
from trackstore.errors import InvalidRequest, TrackstoreError, Unavailable
from trackstore.model import Applied, Batch
from trackstore.stores import ArtifactReader


class Mutant(LineStore):
    """Breaks nothing; a mutant overrides what it breaks."""

    killed: ClassVar[dict[str, str]] = {}
    """The scripts that must find it as a backend store, each with the rule that it must name."""
    survives: ClassVar[tuple[str, ...]] = ()
    """Scripts that have nothing to do with its fault."""
    killed_by_files: ClassVar[dict[str, str]] = {}
    """The scripts that must find it as an artifact store."""
    files_survive: ClassVar[tuple[str, ...]] = ()


class SaysNone(Mutant):
    """Takes a call that was not answered for one that was not made."""

    killed: ClassVar = dict.fromkeys(
        ["unheard", "lost-reply", "half-reply", "swallowed-reply"], "B-ERR-02"
    )
    survives: ClassVar = ("refused", "dropped", "unsent", "half-sent", "black-hole")
    killed_by_files: ClassVar = dict.fromkeys(
        ["unheard", "lost-reply", "lost-replies", "half-reply", "swallowed-reply"], "A-RTY-01"
    )
    files_survive: ClassVar = ("refused", "cut-download")

    def unanswered(self, error: BaseException) -> TrackstoreError:
        return Unavailable("the server did not answer")


class SaysInvalid(Mutant):
    """Blames the caller."""

    killed: ClassVar = {"unsent": "B-ERR-01", "black-hole": "B-ERR-01"}
    survives: ClassVar = ("slow",)
    killed_by_files: ClassVar = {"unsent": "A-ERR-01", "black-hole": "A-ERR-01"}
    files_survive: ClassVar = ("slow",)

    def unanswered(self, error: BaseException) -> TrackstoreError:
        return InvalidRequest("this cannot be answered", outcome="unknown")


class SaysNothing(Mutant):
    """Swallows the error, and returns as if all were well."""

    killed: ClassVar = {"unsent": "B-ERR-02", "half-sent": "B-ERR-02", "refused": "B-ERR-02"}
    survives: ClassVar = ("slow", "lost-reply")
    killed_by_files: ClassVar = {"refused": "A-RTY-01", "half-sent": "A-RTY-01"}
    files_survive: ClassVar = ("slow",)

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        with suppress(Unavailable):
            return super().call(method, args)
        if method in {"log", "update_experiment"}:
            return Applied()
        if method in {"update_run", "purge_run", "purge_experiment", "delete"}:
            return None
        return super().call(method, args)


class LetsErrorsThrough(Mutant):
    """Raises what the socket raises."""

    killed: ClassVar = dict.fromkeys(["dropped", "lost-reply", "swallowed-reply"], "B-ERR-01")
    survives: ClassVar = ("slow",)
    killed_by_files: ClassVar = dict.fromkeys(
        ["dropped", "lost-reply", "swallowed-reply"], "A-ERR-01"
    )
    files_survive: ClassVar = ("slow",)

    def unanswered(self, error: BaseException) -> TrackstoreError:
        raise error


class EndsTheThread(Mutant):
    """Raises what no `except Exception` catches."""

    killed: ClassVar = {"lost-reply": "B-ERR-01"}
    survives: ClassVar = ("slow",)
    killed_by_files: ClassVar = {"lost-reply": "A-ERR-01", "cut-upload": "A-ERR-01"}
    files_survive: ClassVar = ("slow",)

    def unanswered(self, error: BaseException) -> TrackstoreError:
        raise GeneratorExit from error


class LetsDamageThrough(Mutant):
    """Raises what the checksum raises."""

    killed: ClassVar = {"damaged-reply": "B-ERR-01"}
    survives: ClassVar = ("half-reply", "damaged-request")
    killed_by_files: ClassVar = {"damaged-reply": "A-ERR-01"}
    files_survive: ClassVar = ("half-reply", "damaged-request")

    def unanswered(self, error: BaseException) -> TrackstoreError:
        if isinstance(error, Damaged):
            raise error
        return super().unanswered(error)


class LooksAtNoChecksum(Mutant):
    """Takes a reply as it comes, if anything can be made of it."""

    killed: ClassVar = {"damaged-reply": "B-ERR-05"}
    survives: ClassVar = ("half-reply", "lost-reply")
    killed_by_files: ClassVar = {"damaged-reply": "A-RTY-02"}
    files_survive: ClassVar = ("half-reply", "unsent")

    def connect(self, end: float) -> Connection:
        connection = super().connect(end)
        connection.parse = unchecked
        return connection

    def attempt(self, method: str, args: tuple[Any, ...]) -> Any:
        try:
            return super().attempt(method, args)
        except TrackstoreError:
            raise
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self.unanswered(error) from error


def unchecked(line: bytes) -> Any:
    """Return what a line says, or whatever can be made of it."""
    try:
        return json.loads(line[9:])
    except ValueError as error:
        raise Damaged from error


class Repeats(Mutant):
    """Makes a call again when it was not answered; how is for the mutants below."""

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        try:
            return self.attempt(method, args)
        except Unavailable as error:
            if error.outcome == "none" or isinstance(error.__cause__, TimeoutError):
                raise
            return self.again(method, args)

    def again(self, method: str, args: tuple[Any, ...]) -> Any:
        return self.attempt(method, args)


class RepeatsWhatIsNotToBeRepeated(Repeats):
    """The second deletion of a tag finds no tag; the second purge finds no run."""

    killed: ClassVar = {"lost-reply": "B-ERR-04", "half-reply": "B-ERR-04"}
    survives: ClassVar = ("unsent", "half-sent", "black-hole")


class PurgesTwice(Repeats):
    """The second purge finds no run, and that is what is told."""

    killed: ClassVar = {"lost-reply": "B-ERR-02"}
    survives: ClassVar = ("refused", "unsent", "swallowed-reply")

    def again(self, method: str, args: tuple[Any, ...]) -> Any:
        if method.startswith("purge"):
            return self.attempt(method, args)
        raise Unavailable("the server did not answer", outcome="unknown")


class ForgetsTheFirst(Repeats):
    """Says that nothing was written because the second attempt wrote nothing."""

    killed: ClassVar = {"last-words": "B-ERR-02", "overtaken": "B-ERR-02"}
    survives: ClassVar = ("refused", "unsent", "black-hole")
    killed_by_files: ClassVar = {"last-words": "A-RTY-01"}
    files_survive: ClassVar = ("refused", "unsent", "black-hole")


class TakesANewId(Repeats):
    """Creates another run when the first was not confirmed."""

    killed: ClassVar = {"lost-reply": "B-RUN-04", "unheard": "B-RUN-04"}
    survives: ClassVar = ("refused", "black-hole")

    def again(self, method: str, args: tuple[Any, ...]) -> Any:
        if method == "create_run":
            args = (replace(args[0], id=args[0].id[::-1]),)
        return self.attempt(method, args)


class StampsAgain(Repeats):
    """Logs a point again as a later one when the first was not confirmed."""

    killed: ClassVar = {"lost-reply": "B-BAT-01", "half-reply": "B-BAT-01"}
    survives: ClassVar = ("refused", "black-hole")

    def again(self, method: str, args: tuple[Any, ...]) -> Any:
        if method == "log":
            later = [replace(point, timestamp=point.timestamp + 1) for point in args[1].metrics]
            args = (args[0], replace(args[1], metrics=later))
        return self.attempt(method, args)


class WaitsForEver(Mutant):
    """Has no timeout."""

    killed: ClassVar = dict.fromkeys(["black-hole", "swallowed-reply", "late-reply"], "B-ERR-03")
    survives: ClassVar = ("refused", "lost-reply")
    killed_by_files: ClassVar = dict.fromkeys(
        ["black-hole", "swallowed-reply", "late-reply"], "A-RTY-01"
    )
    files_survive: ClassVar = ("refused", "unsent")

    def attempt(self, method: str, args: tuple[Any, ...]) -> Any:
        self.timeout = 1e6
        return super().attempt(method, args)


class KeepsWhatIsBroken(Mutant):
    """Uses a connection again after it failed."""

    killed: ClassVar = dict.fromkeys(["dropped", "lost-reply", "damaged-request"], "B-ERR-04")
    survives: ClassVar = ("slow",)
    killed_by_files: ClassVar = dict.fromkeys(
        ["dropped", "lost-reply", "damaged-request"], "A-RTY-01"
    )
    files_survive: ClassVar = ("slow",)

    def discard(self, connection: Connection, error: BaseException) -> None:
        self.idle.append(connection)


class KeepsWhatIsLate(Mutant):
    """Uses a connection again after a timeout, and does not look whose the reply is."""

    killed: ClassVar = {"late-reply": "B-ERR-04"}
    survives: ClassVar = ("refused", "lost-reply")
    killed_by_files: ClassVar = {"late-reply": "A-RTY-01"}
    files_survive: ClassVar = ("refused", "unsent")

    def discard(self, connection: Connection, error: BaseException) -> None:
        if isinstance(error, TimeoutError):
            connection.expects = lambda number: True
            self.idle.append(connection)
        else:
            super().discard(connection, error)


class ReadsOnce(Mutant):
    """Takes what comes first for all of a short reply."""

    killed: ClassVar = {"slow": "B-ERR-03"}
    survives: ClassVar = ("refused", "black-hole")
    killed_by_files: ClassVar = {"slow": "A-RTY-01"}
    files_survive: ClassVar = ("refused", "black-hole")

    def connect(self, end: float) -> Connection:
        connection = super().connect(end)
        connection.read_line = lambda end: read_once(connection.socket)
        return connection


def read_once(source: socket) -> bytes:
    line = source.recv(CHUNK)
    while len(line) > 1_000 and not line.endswith(b"\n"):
        line += source.recv(CHUNK)
    return line


class ItemByItem(Mutant):
    """Logs a batch by several calls."""

    killed: ClassVar = {"unsent": "B-BAT-01", "lost-reply": "B-BAT-01"}
    survives: ClassVar = ("slow", "dropped")

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        if method == "log":
            super().call(method, (args[0], Batch(metrics=args[1].metrics)))
            args = (args[0], replace(args[1], metrics=()))
        return super().call(method, args)


class Pipelined(Mutant):
    """Sends a batch as two requests at once, so that half of what it sends is half of a batch."""

    killed: ClassVar = {"half-sent": "B-BAT-01"}
    survives: ClassVar = ("slow", "unsent", "unheard")

    def connect(self, end: float) -> Connection:
        return TwoAtOnce(self.address, end)


class TwoAtOnce(Connection):
    answers = 0
    """Which of the two replies is given to the caller."""

    def ask(self, end: float, store: str, method: str, args: tuple[Any, ...]) -> Any:
        if not (halves := self.halves(method, args)):
            return super().ask(end, store, method, args)
        self.socket.sendall(b"".join(to_line([store, 0, method, each]) for each in halves))
        replies = self.read_line(end)
        while replies.count(b"\n") < 2:
            replies += self.read_line(end)
        answer: list[Any] = from_line(replies.splitlines(keepends=True)[self.answers])
        return answer[1:]

    def halves(self, method: str, args: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if method != "log" or not args[1].metrics:
            return []
        return [(args[0], replace(args[1], metrics=())), (args[0], Batch(metrics=args[1].metrics))]


class PutsTwice(Repeats):
    """The second put finds a file, its own, and tells that another has made it."""

    killed_by_files: ClassVar = {"lost-reply": "A-RTY-01", "half-reply": "A-RTY-01"}
    files_survive: ClassVar = ("refused", "unsent", "cut-upload", "swallowed-reply")


class PutsByHalves(Mutant):
    """Publishes the first half of a file, and then the whole."""

    killed_by_files: ClassVar = {"unsent": "A-PUT-06", "lost-reply": "A-PUT-06"}
    files_survive: ClassVar = ("slow", "dropped")

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        if method == "put" and not args[2]:
            super().call(method, (args[0], args[1][: len(args[1]) // 2], False))
        return super().call(method, args)


class MakesRoom(Mutant):
    """Removes the old file before it puts the new one."""

    killed_by_files: ClassVar = {"unheard": "A-PUT-06", "half-reply": "A-PUT-06"}
    files_survive: ClassVar = ("slow", "dropped")

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        if method == "put" and not args[2]:
            super().call("delete", args[:1])
        return super().call(method, args)


class SendsHalves(Mutant):
    """Sends a file as two requests at once, so that half of what it sends is half of a file."""

    killed_by_files: ClassVar = {"cut-upload": "A-PUT-06"}
    files_survive: ClassVar = ("slow", "unsent")

    def connect(self, end: float) -> Connection:
        return TwoHalves(self.address, end)


class TwoHalves(TwoAtOnce):
    answers = 1

    def halves(self, method: str, args: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if method != "put" or args[2]:
            return []
        return [(args[0], args[1][:1_000], False), args]


class ReadsShort(Mutant):
    """Reads a file in two pieces, and takes a connection that breaks for its end."""

    killed_by_files: ClassVar = dict.fromkeys(["unsent", "cut-download", "half-reply"], "A-RTY-01")
    files_survive: ClassVar = ("slow", "refused", "dropped")

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        first = 1_000 if length is None else min(length, 1_000)
        with self.under_way():
            begin, size = self.call("get", (path, start, first))
            rest = None if length is None else length - first
            with suppress(Unavailable):
                begin += self.attempt("get", (path, start + first, rest))[0]
        return ArtifactReader(iter([begin]), size)


class DeletesOneByOne(Mutant):
    """Empties a folder file by file, and says that nothing was done if one of them fails."""

    killed_by_files: ClassVar = {"half-reply": "A-RTY-01"}
    files_survive: ClassVar = ("slow", "refused")

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        if method != "delete":
            return super().call(method, args)
        inside = super().call("scan", (args[0], None, 1_000, True)).items
        try:
            for info in inside:
                super().call("delete", (info.path,))
        except Unavailable as error:
            error.outcome = "none"
            raise
        return super().call("delete", args)


MUTANTS: tuple[type[Mutant], ...] = (
    SaysNone,
    SaysInvalid,
    SaysNothing,
    LetsErrorsThrough,
    EndsTheThread,
    LetsDamageThrough,
    LooksAtNoChecksum,
    RepeatsWhatIsNotToBeRepeated,
    PurgesTwice,
    ForgetsTheFirst,
    TakesANewId,
    StampsAgain,
    WaitsForEver,
    KeepsWhatIsBroken,
    KeepsWhatIsLate,
    ReadsOnce,
    ItemByItem,
    Pipelined,
    PutsTwice,
    PutsByHalves,
    MakesRoom,
    SendsHalves,
    ReadsShort,
    DeletesOneByOne,
)
