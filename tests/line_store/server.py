"""The server's process: `python -m line_store.server` prints its port, and serves until killed.

Each line that comes is [store, number, method, arguments]; the line that goes back is
[number, "ok" or the error's name, the value or what the error says].
"""

from collections.abc import Callable
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock
from typing import Any

from line_store.files import Files
from line_store.lines import Damaged, arguments, from_line, to_line
from trackstore.errors import AlreadyExists, TrackstoreError
from trackstore.registry import open_artifact_store, open_backend_store


class Handler(StreamRequestHandler):
    """One connection: a line that is not whole ends it."""

    server: "Server"
    disable_nagle_algorithm = True
    parse: Callable[[bytes], Any] = staticmethod(from_line)

    def handle(self) -> None:
        with suppress(OSError, Damaged):  # the client knows that it has no answer
            for line in self.rfile:
                url, number, method, given = self.parse(line)
                self.wfile.write(to_line([number, *self.answer(url, method, given)]))

    def answer(self, url: str, method: str, given: list[Any]) -> tuple[str, Any]:
        try:
            store = self.server.store(url)
            return "ok", getattr(store, method)(*arguments(method, given))
        except TrackstoreError as error:
            field = {"field": error.field} if isinstance(error, AlreadyExists) else {}
            return type(error).__name__, [str(error), {"outcome": error.outcome, **field}]


class Server(ThreadingTCPServer):
    """Opens each store once, and lets its threads share it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[Handler] = Handler) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._stores: dict[str, Any] = {}
        self._lock = Lock()

    def store(self, url: str) -> Any:
        with self._lock:
            if url not in self._stores:
                self._stores[url] = opened(url)
            return self._stores[url]


def opened(url: str) -> Any:
    return Files(open_artifact_store(url)) if url.startswith("file:") else open_backend_store(url)


def serve(handler: type[Handler] = Handler) -> None:
    with Server(handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    serve()
