"""A TCP proxy that does to a store's connections what networks do.

It knows no protocol.  What it can see is whose turn it is: an exchange begins when a client speaks
after the server did.  A fault strikes in the n-th exchange since it was armed, in the request or
in the reply, so that trying n = 1, 2, 3... strikes everywhere, whatever a call is made of.
"""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter, Task
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, Literal, Self, TypeVar

from msgspec import Struct

T = TypeVar("T")
Address = tuple[str, int]
Side = Literal["request", "reply"]
Sides = Literal["request", "reply", "both"]
Action = Literal["delay", "refuse", "drop", "reset", "close", "vanish", "silence", "hold", "flip"]

LOOPBACK = "127.0.0.1"
CHUNK = 2**16
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
CONTROL_SECONDS = 30.0


class Fault(Struct, frozen=True):
    """What happens, and where.

    `delay`: half of the first chunk of a request or reply comes at once, and all else `seconds`
    later, however long it is.
    `refuse`: connections are reset, and nobody listens until the fault is over.
    `drop`: connections are reset, and new ones are fine.
    `reset`, `close`: `share` of a chunk still passes, and then the client's connection is reset
    or closed.  The server is let finish what it has begun.
    `vanish`: as `reset`, of all connections, and nobody listens until the fault is over.
    `silence`: the chunk and all that comes after it, either way, is lost; nothing is closed.
    `hold`: the chunk and the replies after it are delivered when the fault is over.
    `flip`: one bit, at `share` of the chunk, arrives as its opposite.
    """

    action: Action
    side: Sides = "request"
    exchange: int = 1
    """Which exchange since the fault was armed is struck, counted from one."""
    share: float = 0.0
    """From 0, nothing of the chunk, to 1, all of it."""
    lasting: bool = False
    """Every later exchange is struck too, until the fault is over."""
    seconds: float = 0.02
    after: int = 0
    """The bytes of the struck side of the exchange that pass first; exchanges with no more than
    that are not counted."""


class Link:
    """One connection of a client, and the proxy's own to the server for it."""

    def __init__(self, client: tuple[StreamReader, StreamWriter]) -> None:
        self.client = client
        self.server = client  # until it is connected
        self.exchange = 0
        self.spoken = 0
        """Bytes that the speaker has said since the other one did."""
        self.speaker: Side | None = None
        self.silent = False
        self.over = False
        self.held: list[bytes] | None = None

    def cut(self, *, reset: bool) -> None:
        """End the client's connection, and tell the server that nothing more will come."""
        self.silent = True
        self.finish()
        raw: socket.socket = self.client[1].get_extra_info("socket")
        if reset and not self.client[1].is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.client[1].transport.abort()
        self.client[1].close()

    def finish(self) -> None:
        """Pass on that the client has ended."""
        self.over = True
        if self.server is not self.client and not self.server[1].is_closing():
            with suppress(OSError):  # the server has ended too
                self.server[1].write_eof()

    def deliver(self) -> None:
        """Send the client what was held."""
        if self.held and not self.client[1].is_closing():
            self.client[1].write(b"".join(self.held))
        self.held = None


class Proxy:
    """Listens on a free port of the loopback, and connects each client to `upstream`.

    It runs in a thread of its own; its methods may be called from any other.
    """

    def __init__(self, upstream: Address) -> None:
        self.port = 0
        self.fired = False
        """Whether the fault that is, or was last, armed has struck."""
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._links: dict[Task[None], Link] = {}
        self._fault: Fault | None = None
        self._meanwhile: Callable[[], object] | None = None
        self.exchanges = 0
        """How many there were since a fault was armed, or since the beginning."""
        self._long = 0
        """Exchanges that were longer than the fault's `after`."""
        self._listener: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def arm(self, fault: Fault, meanwhile: Callable[[], object] | None = None) -> None:
        """Let `fault` happen from now on; exchanges are counted from here.

        `meanwhile` is called when it strikes: the server has done what it was asked, and has lost
        the client, which does not know it yet.
        """
        self._do(self._arm(fault, meanwhile))

    def heal(self) -> None:
        """End the fault: new connections are fine, and old ones but for those it struck."""
        self._do(self._heal())

    def settle(self, seconds: float) -> bool:
        """Wait until the server is done with the connections that have ended; tell if it is."""
        return self._do(self._settle(seconds))

    def reset(self) -> None:
        """Reset every connection, whatever is under way."""
        self._do(self._reset())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CONTROL_SECONDS)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _arm(self, fault: Fault, meanwhile: Callable[[], object] | None) -> None:
        self._fault, self.exchanges, self._long, self.fired = fault, 0, 0, False
        self._meanwhile = meanwhile
        if fault.action in {"refuse", "drop"}:
            self.fired = True
            if fault.action == "refuse":
                self._stop_listening()
            await self._reset()

    async def _heal(self) -> None:
        self._fault = None
        for link in self._links.values():
            link.deliver()
        if self._listener is None:
            await self._listen()

    async def _reset(self) -> None:
        for link in self._links.values():
            link.cut(reset=True)

    async def _settle(self, seconds: float) -> bool:
        ended = [task for task, link in self._links.items() if link.over]
        return not ended or not (await asyncio.wait(ended, timeout=seconds))[1]

    async def _close(self) -> None:
        self._stop_listening()
        await self._reset()
        for link in self._links.values():
            link.server[1].transport.abort()
        if self._links:
            await asyncio.wait(list(self._links))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task, link = asyncio.current_task(), Link((reader, writer))
        assert task is not None
        self._links[task] = link
        try:
            if self._listener is None:  # it was accepted just before all went away
                raise ConnectionAbortedError
            link.server = await asyncio.open_connection(*self._upstream)
            await asyncio.gather(self._pump(link, "request"), self._pump(link, "reply"))
        except OSError:  # the server cannot be reached, and is not to look as if it could
            link.cut(reset=True)
        finally:
            for _, end in (link.client, link.server):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()
            del self._links[task]

    async def _pump(self, link: Link, side: Side) -> None:
        """Pass on one direction until it ends."""
        source = (link.client if side == "request" else link.server)[0]
        with suppress(OSError):  # a reset is an end
            while chunk := await source.read(CHUNK):
                await self._pass_on(link, side, chunk)
        if side == "request":
            link.finish()
        elif not link.silent:
            link.client[1].close()

    async def _pass_on(self, link: Link, side: Side, chunk: bytes) -> None:
        self._count(link, side, len(chunk))
        if link.silent:
            return
        if link.held is not None and side == "reply":
            link.held.append(chunk)
            return
        fault = self._fault
        if fault is None or not self._strikes(fault, link, side, len(chunk)):
            await _send(link, side, chunk)
            return
        self.fired = True
        if self._meanwhile is not None:
            link.silent = True
            link.finish()
            await asyncio.to_thread(self._meanwhile)
        await ACTIONS[fault.action](fault, link, side, chunk)
        if fault.action == "vanish":
            self._stop_listening()
            await self._reset()

    def _count(self, link: Link, side: Side, size: int) -> None:
        if link.speaker is None or (side == "request" and link.speaker == "reply"):
            self.exchanges += 1
            link.exchange = self.exchanges
        link.spoken = size + (link.spoken if link.speaker == side else 0)
        link.speaker = side

    def _strikes(self, fault: Fault, link: Link, side: Side, size: int) -> bool:
        if fault.side not in {side, "both"} or link.spoken <= fault.after:
            return False
        if fault.after:
            self._long += link.spoken - size <= fault.after
            return self._long == fault.exchange and not self.fired
        if fault.lasting:
            return link.exchange >= fault.exchange
        return link.exchange == fault.exchange and not self.fired


async def _send(link: Link, side: Side, chunk: bytes) -> None:
    target = (link.server if side == "request" else link.client)[1]
    if chunk and not target.is_closing():
        target.write(chunk)
        with suppress(OSError):  # whoever has gone away misses it
            await target.drain()


async def _delay(fault: Fault, link: Link, side: Side, chunk: bytes) -> None:
    if link.spoken > len(chunk):
        await _send(link, side, chunk)
        return
    half = len(chunk) // 2
    await _send(link, side, chunk[:half])
    await asyncio.sleep(fault.seconds)
    await _send(link, side, chunk[half:])


async def _cut(fault: Fault, link: Link, side: Side, chunk: bytes) -> None:
    await _send(link, side, chunk[: int(len(chunk) * fault.share)])
    link.cut(reset=fault.action != "close")


async def _silence(_fault: Fault, link: Link, _side: Side, _chunk: bytes) -> None:
    link.silent = True


async def _hold(_fault: Fault, link: Link, _side: Side, chunk: bytes) -> None:
    link.held = [chunk]


async def _flip(fault: Fault, link: Link, side: Side, chunk: bytes) -> None:
    bit = int(len(chunk) * 8 * fault.share)
    flipped = bytearray(chunk)
    flipped[bit // 8] ^= 1 << bit % 8
    await _send(link, side, bytes(flipped))


Struck = Callable[[Fault, Link, Side, bytes], Awaitable[None]]
ACTIONS: dict[Action, Struck] = {
    "delay": _delay,
    "reset": _cut,
    "close": _cut,
    "vanish": _cut,
    "silence": _silence,
    "hold": _hold,
    "flip": _flip,
}
