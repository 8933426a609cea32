"""An artifact store that signs URLs as it should, over one in memory; mutants of it do not."""

import hmac
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from uuid import uuid4

from msgspec import Struct, field

from trackstore.errors import InvalidRequest, NotFound
from trackstore.model import ArtifactInfo, SignedUpload, SignedURL
from trackstore.stores import ArtifactStore
from trackstore_conformance.mutants.wrapped import ArtifactMutant

SECRET = b"known to all handles of this process"
Query = Mapping[str, str]


class Upload(Struct):
    path: str
    parts: int
    touched: float = field(default_factory=time.time)
    sent: dict[int, bytes] = field(default_factory=dict)


_uploads: dict[str, dict[str, Upload]] = defaultdict(dict)
"""Of each store, by its URL."""


class SignsRightly(ArtifactMutant):
    """Signs URLs of a server of its own."""

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner)
        self.uploads: dict[str, Upload] = {}
        self._starting = Lock()
        self._server: Server | None = None

    @classmethod
    def from_url(cls, url: str) -> Self:
        store = super().from_url(url)
        store.uploads = _uploads[url]
        return store

    def close(self) -> None:
        with self._starting:
            server, self._server = self._server, None
        if server is not None:
            server.stop()
        super().close()

    def sign_url(self, path: str, verb: Literal["GET", "PUT"], seconds: int) -> SignedURL:
        return self.signed(path, {"verb": verb}, seconds)

    def signed(self, path: str, query: Query, seconds: int) -> SignedURL:
        with self._starting:
            if self._server is None:
                self._server = Server(self)
        given = {**query, "expires": str(int(time.time()) + seconds)}
        given["signature"] = self.signature(path, given)
        address = f"http://127.0.0.1:{self._server.server_port}"
        return SignedURL(f"{address}/{quote(path)}?{urlencode(given, quote_via=quote)}")

    def signature(self, path: str, query: Query) -> str:
        what = repr((path, sorted(query.items())))
        return hmac.new(SECRET, what.encode(), "sha256").hexdigest()

    def is_allowed(self, verb: str, path: str, query: Query) -> bool:
        given = dict(query)
        signature = given.pop("signature", "")
        return (
            hmac.compare_digest(signature.encode(), self.signature(path, given).encode())
            and query["verb"] == verb
            and time.time() < int(query["expires"])
        )

    def receive(self, path: str, query: Query, body: bytes, announced: int) -> str:
        """Take what was sent, and return its tag; only if it is whole."""
        if len(body) < announced:
            return ""
        if "upload" in query:
            return self.receive_part(query["upload"], int(query["part"]), body)
        self.put(path, [body])
        return "whole"

    def receive_part(self, ident: str, number: int, body: bytes) -> str:
        upload = self.uploads[ident]
        upload.touched = time.time()
        upload.sent[number] = body
        return tag_of(number, body)

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        ident = uuid4().hex
        self.uploads[ident] = Upload(path, parts)
        asked = [{"verb": "PUT", "upload": ident, "part": str(n)} for n in range(parts)]
        return SignedUpload(ident, [self.signed(path, each, seconds) for each in asked])

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        upload = self.find_upload(path, upload_id)
        self.check_tags(upload, tags)
        info = self.put(path, self.joined(upload))
        self.end_upload(upload_id)
        return info

    def find_upload(self, path: str, upload_id: str) -> Upload:
        upload = self.uploads.get(upload_id)
        if upload is None or upload.path != path:
            raise NotFound("there is no such upload")
        return upload

    def check_tags(self, upload: Upload, tags: Sequence[str]) -> None:
        self.check_number(upload, tags)
        if list(tags) != [tag_of(number, upload.sent[number]) for number in range(len(tags))]:
            raise InvalidRequest("a part is another than its tag says")

    def check_number(self, upload: Upload, tags: Sequence[str]) -> None:
        if not len(tags) == len(upload.sent) == upload.parts:
            raise InvalidRequest("a part is missing")

    def joined(self, upload: Upload) -> list[bytes]:
        return [upload.sent[number] for number in sorted(upload.sent)]

    def end_upload(self, upload_id: str) -> None:
        del self.uploads[upload_id]

    def abort_upload(self, path: str, upload_id: str) -> None:
        with suppress(NotFound):
            self.find_upload(path, upload_id)
            self.end_upload(upload_id)

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        left = [
            ident
            for ident, upload in tuple(self.uploads.items())
            if self.is_in(upload.path, prefix) and upload.touched < time.time() - older_than_s
        ]
        for ident in left:
            self.end_upload(ident)
        return len(left)

    def is_in(self, path: str, folder: str) -> bool:
        return not folder or path.startswith(f"{folder}/")


def tag_of(number: int, body: bytes) -> str:
    return f'"{number}-{hmac.digest(b"", body, "sha256").hex()}"'


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: SignsRightly) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = store
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 5

    def answer(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path[1:]), dict(parse_qsl(parts.query))
        announced = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(announced)
        store = self.server.store
        try:
            is_allowed = store.is_allowed(self.command, path, query)
        except (KeyError, ValueError):
            is_allowed = False
        if not is_allowed:
            self.reply(403)
        elif self.command == "PUT":
            self.reply(200, tag=store.receive(path, query, body, announced))
        else:
            self.reply(200, b"".join(store.get(path)))

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815

    def reply(self, status: int, body: bytes = b"", tag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", tag)
        self.end_headers()
        with suppress(OSError):  # the client may be gone
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """It prints nothing."""
