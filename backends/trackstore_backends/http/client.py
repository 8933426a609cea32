"""Calls of a contract, made on a server: sent, answered, and made again where that is harmless."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import urllib3
from msgspec import DecodeError, json
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from trackstore import remote
from trackstore.errors import (
    BackendError,
    Outcome,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.stores import ArtifactReader
from trackstore_backends.gate import Gate
from trackstore_backends.http.urls import Server

if TYPE_CHECKING:
    from trackstore.model import Batch

CONNECTIONS = 64
"""How many are kept for the next calls; there may be more at once."""
KEYED = frozenset({"create_experiment", "create_run", "create_logged_model"})
"""Calls that find out by an id if they have been made already."""
NOT_OURS = "what answers is not a trackstore server that serves its stores"
REFUSALS: dict[int, tuple[type[TrackstoreError], str]] = {
    401: (PermissionDenied, "what is before the server asks for another user or password"),
    403: (PermissionDenied, "the server refuses the request"),
    404: (Unsupported, NOT_OURS),
    405: (Unsupported, NOT_OURS),
    501: (Unsupported, NOT_OURS),
    502: (Unavailable, "what is before the server cannot reach it"),
    503: (Unavailable, "the server is not available"),
    504: (Unavailable, "the server did not answer in time"),
}
"""What an answer means that is none of the contract's, by its status."""


class Lost(Unavailable):
    """The connection broke, or what came by it is damaged."""


class Client:
    """Makes calls on one server; each of them is between two ends of `gate`."""

    def __init__(self, server: Server) -> None:
        self.gate = Gate(self._disconnect)
        self._server = server
        self._pool: urllib3.HTTPConnectionPool | None = None

    def call(self, name: str, *args: Any) -> Any:
        """Return what the method `name` returns there, or raise what it raises."""
        request = remote.to_request(name, args)
        with self.gate:
            try:
                return self._answer(name, request)
            except Lost as error:
                if error.outcome == "unknown" and not _is_harmless(name, args):
                    raise
                lost = error
            return self._again(name, request, lost)

    def _again(self, name: str, request: bytes, lost: Lost) -> Any:
        """Make a call a second time: what it is refused for may be its own first attempt."""
        try:
            return self._answer(name, request)
        except TrackstoreError as error:
            if lost.outcome == "none":
                raise
            raise lost from error

    def send_file(self, args: tuple[Any, ...], chunks: Iterable[bytes]) -> Any:
        """Call `put`; what `chunks` raises is raised, and then nothing is published."""
        body = _Body(args, chunks)
        with self.gate:
            try:
                return self._answer("put", body)
            except Exception:
                if body.error is not None:
                    raise body.error from None
                raise

    def open_file(self, args: tuple[Any, ...]) -> ArtifactReader:
        """Call `get`, and return a reader that has a connection until it ends."""
        request = remote.to_request("get", args)
        with self.gate:
            try:
                reply, size = self._opened(request)
            except Lost:
                reply, size = self._opened(request)
        return ArtifactReader(_Chunks(reply), size)

    def _opened(self, request: bytes) -> tuple[urllib3.BaseHTTPResponse, int]:
        reply = self._send("get", request)
        size: int = self._read("get", reply)
        return reply, size

    def _answer(self, name: str, body: "bytes | _Body") -> Any:
        reply = self._send(name, body)
        answer = self._read(name, reply)
        reply.drain_conn()
        return answer

    def _send(self, name: str, body: "bytes | _Body") -> urllib3.BaseHTTPResponse:
        server = self._server
        try:
            reply = self._connections().urlopen(
                "POST",
                f"{server.prefix}{remote.ROOT}/{name}",
                body=body,
                headers={"content-type": remote.MEDIA_TYPE, **server.headers},
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except HTTPError as error:
            sent = isinstance(body, bytes) or body.is_sent
            raise _translated(error, may_be_done=sent and not remote.METHODS[name].reads) from error
        if reply.headers.get("content-type") != remote.MEDIA_TYPE:
            raise _refusal(reply, may_be_done=not remote.METHODS[name].reads)
        return reply

    def _read(self, name: str, reply: urllib3.BaseHTTPResponse) -> Any:
        """Return what the first frame of a reply says."""
        may_be_done = not remote.METHODS[name].reads
        try:
            return remote.from_reply(name, remote.read_frame(reply.read))
        except remote.Damaged as error:
            reply.close()
            raise _lost("the server's answer is damaged", may_be_done=may_be_done) from error
        except HTTPError as error:
            reply.close()
            raise _translated(error, may_be_done=may_be_done) from error
        except TrackstoreError:
            reply.drain_conn()
            raise

    def _connections(self) -> urllib3.HTTPConnectionPool:
        if self._pool is None:
            self._pool = _pool(self._server)
        return self._pool

    def _disconnect(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


class _Body:
    """The body of an upload.  What its chunks raise is kept: urllib3 would take it for its own."""

    def __init__(self, args: tuple[Any, ...], chunks: Iterable[bytes]) -> None:
        self.error: BaseException | None = None
        self.is_sent = False
        self._args = args
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        whole = chain([remote.to_request("put", self._args)], remote.frames_of(self._kept()))
        last = next(whole)
        for frame in whole:
            yield last
            last = frame
        self.is_sent = True
        yield last

    def _kept(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except GeneratorExit:  # the connection broke, so that nobody asks for the rest
            raise
        except BaseException as error:
            self.error = error
            raise


class _Chunks:
    """The chunks of a file that is being read; a connection that is not read to its end is lost."""

    def __init__(self, reply: urllib3.BaseHTTPResponse) -> None:
        self._reply = reply
        self._chunks = remote.chunks_of(reply.read)

    def __iter__(self) -> "_Chunks":
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            self._reply.drain_conn()
            raise
        except (HTTPError, remote.Damaged) as error:
            self.close()
            raise Unavailable("the server did not send the whole file; read it again") from error

    def close(self) -> None:
        self._reply.close()


def _pool(server: Server) -> urllib3.HTTPConnectionPool:
    kind = urllib3.HTTPSConnectionPool if server.scheme == "https" else urllib3.HTTPConnectionPool
    timeout = urllib3.Timeout(connect=server.connect_timeout, read=server.timeout)
    return kind(server.host, server.port, maxsize=CONNECTIONS, timeout=timeout)


def _is_harmless(name: str, args: tuple[Any, ...]) -> bool:
    """Tell if a call that may have been made can be made again, whatever was written meanwhile."""
    if name == "log":
        batch: Batch = args[1]
        return not (batch.tags or batch.deleted_tags)
    return remote.METHODS[name].reads or name in KEYED


def _lost(message: str, *, may_be_done: bool) -> Lost:
    return Lost(message, outcome="unknown" if may_be_done else "none")


def _translated(error: HTTPError, *, may_be_done: bool) -> TrackstoreError:
    """Return what an error of urllib3 means: the one place where they are read."""
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return Unavailable("the server cannot be reached")
    if isinstance(error, SSLError):
        return BackendError("the server's certificate is not one that this machine trusts")
    if isinstance(error, ReadTimeoutError):
        outcome: Outcome = "unknown" if may_be_done else "none"
        return Unavailable("the server did not answer in time", outcome=outcome)
    return _lost("the connection to the server broke", may_be_done=may_be_done)


def _refusal(reply: urllib3.BaseHTTPResponse, *, may_be_done: bool) -> TrackstoreError:
    """Return what an answer means that is not of the contract: a proxy's, or the server's guard's.

    The message of a trackstore server is kept, which says what to do.
    """
    failed = (BackendError, f"the server answered with the status {reply.status}")
    kind, message = REFUSALS.get(reply.status, failed)
    try:
        said = json.decode(reply.read(65_536), type=dict[str, Any]).get("message")
    except (DecodeError, HTTPError):
        said = None
    reply.close()
    done = may_be_done and reply.status >= 500 and kind is not Unsupported
    return kind(
        f"{message}: {said[:500]}" if isinstance(said, str) else message,
        outcome="unknown" if done else "none",
    )
