"""An artifact store in memory that signs URLs, and the HTTP server that honours them.

It stands for the object stores, where no server of one is at hand: a URL is for one verb on one
path until a time, and an upload in parts is there when it is finished.
"""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from re import fullmatch
from threading import Thread
from time import time
from typing import ClassVar, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from uuid import uuid4

from trackstore.errors import InvalidRequest, LimitExceeded, NotFound
from trackstore.model import ArtifactInfo, SignedUpload, SignedURL
from trackstore_backends.memory_artifacts import MemoryArtifactStore

KEY = b"only the store has it"
MOST_PARTS = 100


class SigningStore(MemoryArtifactStore):
    """`served` starts and stops its server."""

    address: ClassVar[str]
    """Where the server listens, as `http://127.0.0.1:1234`."""
    uploads: ClassVar[dict[str, tuple[str, list[bytes | None]]]] = {}
    """The path and the parts of each upload that was begun."""

    def sign_url(self, path: str, verb: Literal["GET", "PUT"], seconds: int) -> SignedURL:
        return SignedURL(self.signed(path, verb, seconds), {"x-signed": verb})

    def signed(self, path: str, verb: str, seconds: int, **more: str) -> str:
        said = {"verb": verb, "until": str(int(time() + seconds)), **more}
        query = urlencode({**said, "signature": signature(path, said)})
        return f"{self.address}/{quote(path)}?{query}"

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        if parts > MOST_PARTS:
            raise LimitExceeded(f"an upload has at most {MOST_PARTS} parts")
        ident = uuid4().hex
        self.uploads[ident] = (path, [None] * parts)
        made = [
            SignedURL(self.signed(path, "PUT", seconds, upload=ident, part=str(number)))
            for number in range(parts)
        ]
        return SignedUpload(ident, made)

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        known = self.uploads.get(upload_id)
        if known is None or known[0] != path:
            raise NotFound("there is no such upload of this path")
        parts = [part for part in known[1] if part is not None]
        if len(parts) < len(known[1]) or [*map(tag_of, parts)] != list(tags):
            raise InvalidRequest("a part is missing, or is another than its tag says")
        info = self.put(path, parts)
        del self.uploads[upload_id]
        return info

    def abort_upload(self, path: str, upload_id: str) -> None:
        if self.uploads.get(upload_id, ("",))[0] == path:
            del self.uploads[upload_id]


def signature(path: str, said: dict[str, str]) -> str:
    return hmac.new(KEY, repr((path, sorted(said.items()))).encode(), sha256).hexdigest()


def tag_of(part: bytes) -> str:
    return f'"{md5(part).hexdigest()}"'


class Handler(BaseHTTPRequestHandler):
    store: ClassVar[SigningStore]

    def do_GET(self) -> None:
        path, _ = self.checked("GET")
        if path is None:
            self.reply(403)
            return
        wanted = fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        start, end = map(int, wanted.groups()) if wanted else (0, -1)
        try:
            found = b"".join(self.store.get(path, start, end + 1 - start if wanted else None))
        except NotFound:
            self.reply(404)
        else:
            self.reply(206 if wanted else 200, found)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path, said = self.checked("PUT")
        if path is None:
            self.reply(403)
            return
        if "upload" in said:
            self.store.uploads[said["upload"]][1][int(said["part"])] = body
        else:
            self.store.put(path, [body])
        self.reply(200, etag=tag_of(body))

    def checked(self, verb: str) -> tuple[str | None, dict[str, str]]:
        """Return the path, if the request is signed for it, and what else was signed."""
        parts = urlsplit(self.path)
        path, said = unquote(parts.path[1:]), dict(parse_qsl(parts.query))
        is_signed = said.pop("signature", "") == signature(path, said)
        is_good = is_signed and said["verb"] == verb and int(said["until"]) >= time()
        return path if is_good else None, said

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def served(store: SigningStore) -> Iterator[SigningStore]:
    """Let the store's URLs lead somewhere."""
    handler = type("HandlerOfStore", (Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    type(store).address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
