"""Line stores that are broken on purpose, each in one way: a fault script must find every one."""

import json
from contextlib import suppress
from typing import Any, ClassVar

from msgspec.structs import replace

from line_store.client import CHUNK, Connection, LineStore
from line_store.lines import Damaged, from_line, to_line
from trackstore.errors import InvalidRequest, TrackstoreError, Unavailable
from trackstore.model import Applied, Batch


class Mutant(LineStore):
    """Breaks nothing; a mutant overrides what it breaks."""

    killed: ClassVar[dict[str, str]] = {}
    """The scripts that must find it, each with the rule that it must name."""
    survives: ClassVar[tuple[str, ...]] = ()
    """Scripts that have nothing to do with its fault."""


class SaysNone(Mutant):
    """Takes a call that was not answered for one that was not made."""

    killed: ClassVar = dict.fromkeys(
        ["unheard", "lost-reply", "half-reply", "swallowed-reply"], "B-ERR-02"
    )
    survives: ClassVar = ("refused", "dropped", "unsent", "half-sent", "black-hole")

    def unanswered(self, error: BaseException) -> TrackstoreError:
        return Unavailable("the server did not answer")


class SaysInvalid(Mutant):
    """Blames the caller."""

    killed: ClassVar = {"unsent": "B-ERR-01", "black-hole": "B-ERR-01"}
    survives: ClassVar = ("slow",)

    def unanswered(self, error: BaseException) -> TrackstoreError:
        return InvalidRequest("this cannot be answered", outcome="unknown")


class SaysNothing(Mutant):
    """Swallows the error, and returns as if all were well."""

    killed: ClassVar = {"unsent": "B-ERR-02", "half-sent": "B-ERR-02", "refused": "B-ERR-02"}
    survives: ClassVar = ("slow", "lost-reply")

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        with suppress(Unavailable):
            return super().call(method, args)
        if method in {"log", "update_experiment"}:
            return Applied()
        if method in {"update_run", "purge_run", "purge_experiment"}:
            return None
        return super().call(method, args)


class LetsErrorsThrough(Mutant):
    """Raises what the socket raises."""

    killed: ClassVar = dict.fromkeys(["dropped", "lost-reply", "swallowed-reply"], "B-ERR-01")
    survives: ClassVar = ("slow",)

    def unanswered(self, error: BaseException) -> TrackstoreError:
        raise error


class LetsDamageThrough(Mutant):
    """Raises what the checksum raises."""

    killed: ClassVar = {"damaged-reply": "B-ERR-01"}
    survives: ClassVar = ("half-reply", "damaged-request")

    def unanswered(self, error: BaseException) -> TrackstoreError:
        if isinstance(error, Damaged):
            raise error
        return super().unanswered(error)


class LooksAtNoChecksum(Mutant):
    """Takes a reply as it comes."""

    killed: ClassVar = {"damaged-reply": "B-ERR-05"}
    survives: ClassVar = ("half-reply", "lost-reply")

    def connect(self, end: float) -> Connection:
        connection = super().connect(end)
        connection.parse = unchecked
        return connection


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

    def attempt(self, method: str, args: tuple[Any, ...]) -> Any:
        self.timeout = 1e6
        return super().attempt(method, args)


class KeepsWhatIsBroken(Mutant):
    """Uses a connection again after it failed."""

    killed: ClassVar = dict.fromkeys(["dropped", "lost-reply", "damaged-request"], "B-ERR-04")
    survives: ClassVar = ("slow",)

    def discard(self, connection: Connection, error: BaseException) -> None:
        self.idle.append(connection)


class KeepsWhatIsLate(Mutant):
    """Uses a connection again after a timeout, and does not look whose the reply is."""

    killed: ClassVar = {"late-reply": "B-ERR-04"}
    survives: ClassVar = ("refused", "lost-reply")

    def discard(self, connection: Connection, error: BaseException) -> None:
        if isinstance(error, TimeoutError):
            connection.expects = lambda number: True
            self.idle.append(connection)
        else:
            super().discard(connection, error)


class ReadsOnce(Mutant):
    """Takes what comes first for all of the reply."""

    killed: ClassVar = {"slow": "B-ERR-03"}
    survives: ClassVar = ("refused", "black-hole")

    def connect(self, end: float) -> Connection:
        connection = super().connect(end)
        connection.read_line = lambda end: connection.socket.recv(CHUNK)
        return connection


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
    def ask(self, end: float, store: str, method: str, args: tuple[Any, ...]) -> Any:
        if method != "log" or not args[1].metrics:
            return super().ask(end, store, method, args)
        rest = args[0], replace(args[1], metrics=())
        points = args[0], Batch(metrics=args[1].metrics)
        self.socket.sendall(b"".join(to_line([store, 0, method, each]) for each in (rest, points)))
        replies = self.read_line(end)
        while replies.count(b"\n") < 2:
            replies += self.read_line(end)
        answer: list[Any] = from_line(replies.splitlines(keepends=True)[0])
        return answer[1:]


MUTANTS: tuple[type[Mutant], ...] = (
    SaysNone,
    SaysInvalid,
    SaysNothing,
    LetsErrorsThrough,
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
)
