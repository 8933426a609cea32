"""One bucket, by Google's library, and by its JSON API for what is streamed."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import merge
from http import HTTPStatus
from io import BytesIO
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import google_crc32c
from google.api_core.exceptions import from_http_response
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Blob, Client
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import Response
from requests.adapters import HTTPAdapter

from trackstore.errors import BackendError, LimitExceeded, NotFound, Unavailable
from trackstore_backends.gcs.errors import translated
from trackstore_backends.gcs.options import Options, upload_headers
from trackstore_backends.gcs.resumable import ResumableParts
from trackstore_backends.objects import MARK, Batch, Body, Bucket, Changed, Head, Row

_CHUNK = 1 << 20
_CONNECTIONS = 32
_DELETING = 8
_LISTED = 1_000
_LONGEST = 1_024
_FIELDS = "nextPageToken,prefixes,items(name,size)"


class GCSBucket(Bucket):
    in_flight: ClassVar = 1

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.timeout = (options.connect_timeout, options.timeout)
        self.retry = DEFAULT_RETRY.with_delay(0.1, 5, 2).with_timeout(options.timeout)
        with translated("SIGN"):
            self.client = _connect(options)
            self.session = _session(self.client)
            self.bucket = self.client.bucket(name, user_project=options.project)

    def close(self) -> None:
        self.client.close()

    def blob(self, key: str, generation: int | None = None) -> Blob:
        if len(key.encode()) > _LONGEST:
            raise LimitExceeded(
                f"gs: the service takes no path as long as this artifact's, {_LONGEST:,} bytes "
                "with the store's prefix"
            )
        named = {"kms_key_name": self.options.kms_key, "generation": generation}
        return self.bucket.blob(key, **named)

    def head(self, key: str, generation: int | None = None) -> Head:
        blob = self.blob(key, generation)
        with translated("HEAD"):
            blob.reload(timeout=self.timeout, retry=self.retry)
            mark = (blob.metadata or {}).get(MARK)
            return Head(int(blob.size or 0), str(blob.generation), mark)

    def read(self, key: str, start: int, length: int | None, tag: str | None) -> Body:
        query = {"alt": "media"} | ({"generation": tag} if tag else {})
        headers = {"Accept-Encoding": "identity, gzip"}  # as it is stored, and never unpacked
        if start or length is not None:
            end = "" if length is None else start + length - 1
            headers["Range"] = f"bytes={start}-{end}"
        self.blob(key)
        url = self.url("download", f"/{quote(key, safe='')}")
        try:
            with translated("GET"):
                return _Reply(self._get(url, query, headers))
        except NotFound as error:
            if tag:
                raise Changed from error
            raise

    def _get(self, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        def ask() -> Response:
            reply: Response = self.session.get(
                url, params=query, headers=headers, timeout=self.timeout, stream=True
            )
            check(reply)
            return reply

        found: Response = self.retry(ask)()
        return found

    def url(self, kind: Literal["download", "upload"], rest: str = "") -> str:
        """Return the address of the bucket's objects, in the part of the API that streams."""
        name = quote(self.bucket.name, safe="")
        return f"{self.client.api_endpoint}/{kind}/storage/v1/b/{name}/o{rest}"

    def new_blob(self, key: str, mark: str) -> Blob:
        blob = self.blob(key)
        blob.metadata = {MARK: mark}
        if self.options.storage_class:
            blob.storage_class = self.options.storage_class
        return blob

    def write(self, key: str, body: bytes, *, mark: str, absent: bool) -> None:
        blob = self.new_blob(key, mark)
        with translated("PUT", "unknown"):
            blob.upload_from_file(
                BytesIO(body),
                size=len(body),
                checksum="crc32c",
                timeout=self.timeout,
                retry=self.retry,
                predefined_acl=self.options.predefined_acl,
                if_generation_match=0 if absent else None,
            )

    def begin(self, key: str, *, mark: str, absent: bool) -> ResumableParts:
        blob = self.new_blob(key, mark)
        with translated("PUT"):
            place = blob.create_resumable_upload_session(
                checksum=None,
                timeout=self.timeout,
                retry=self.retry,
                predefined_acl=self.options.predefined_acl,
                if_generation_match=0 if absent else None,
            )
        return ResumableParts(self.session, place, self.timeout, self.retry)

    def _list(self, prefix: str, after: str | None, *, level: bool, most: int) -> Iterator[Batch]:
        with translated("LIST"):
            found = self.client.list_blobs(
                self.bucket,
                prefix=prefix,
                start_offset=after,
                delimiter="/" if level else None,
                page_size=min(max(most, 1), _LISTED),
                fields=_FIELDS,
                timeout=self.timeout,
                retry=self.retry,
            )
            pages = found.pages
        while True:
            with translated("LIST"):
                page = next(pages, None)
                if page is None:
                    return
                files = [Row(blob.name, int(blob.size)) for blob in page if blob.name != after]
                folders = [Row(name) for name in page.prefixes]
                rows = list(merge(files, folders, key=lambda row: row.key))
            yield Batch(rows, more=found.next_page_token is not None)

    def delete(self, keys: Sequence[str]) -> None:
        """Many at once: a batch request is answered one by one too, and emulators have none."""
        if len(keys) == 1:
            self._delete(keys[0])
            return
        with ThreadPoolExecutor(_DELETING) as pool:
            list(pool.map(self._delete, keys))

    def _delete(self, key: str) -> None:
        blob = self.blob(key)
        try:
            with translated("DELETE", "unknown"):
                blob.delete(timeout=self.timeout, retry=self.retry)
        except NotFound:
            return

    def sign(
        self, key: str, verb: Literal["GET", "PUT"], seconds: int
    ) -> tuple[str, dict[str, str]]:
        headers = upload_headers(self.options) if verb == "PUT" else {}
        blob = self.blob(key)
        with translated("SIGN"):
            url: str = blob.generate_signed_url(
                version="v4",
                expiration=seconds,
                method=verb,
                headers=dict(headers),  # to which it adds its own
                api_access_endpoint=self.client.api_endpoint,
            )
        return url, headers


def _connect(options: Options) -> Client:
    credentials = AnonymousCredentials() if options.auth == "anonymous" else None
    address = {"api_endpoint": options.endpoint} if options.endpoint else None
    project = options.project or ("none" if options.auth == "anonymous" else None)
    client = Client(project=project, credentials=credentials, client_options=address)
    # For traces it would ask about the bucket, by a thread of its own and with another permission.
    client._bucket_metadata_cache = None  # noqa: SLF001
    return client


def _session(client: Client) -> Any:
    """Return the session that the library itself uses, which brings a token with each request."""
    session = client._http  # noqa: SLF001 - it has no public name
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    session.hooks["response"].append(_release_refused)
    return session


def _release_refused(reply: Response, *_: Any, **__: Any) -> None:
    """The session asks again with another token, and forgets the first reply."""
    if reply.status_code == HTTPStatus.UNAUTHORIZED:
        reply.content  # noqa: B018 - reading it all gives the connection back


def check(reply: Response) -> None:
    """Raise what the library would for a reply that is no success, with its connection free."""
    if not reply.ok:
        with reply:
            raise from_http_response(reply)


class _Reply(Body):
    """What a download returned: its body is read from the connection, in chunks."""

    def __init__(self, reply: Response) -> None:
        headers = reply.headers
        length = int(headers.get("X-Goog-Stored-Content-Length") or headers["Content-Length"])
        whole = headers.get("Content-Range", "").rpartition("/")[2]
        super().__init__(int(whole) if whole else length, headers["X-Goog-Generation"])
        self._reply = reply
        self._left = int(headers["Content-Length"])
        self._sum = google_crc32c.Checksum()
        self._told = None if whole else _crc32c(headers)

    def __next__(self) -> bytes:
        if self._left == 0:
            raise StopIteration
        with translated("GET"):
            chunk: bytes = self._reply.raw.read(min(_CHUNK, self._left), decode_content=False)
            if not chunk:
                raise Unavailable("gs GET: the reply ended too soon: try again")
            self._left -= len(chunk)
            self._sum.update(chunk)
        if self._left == 0 and self._told not in (None, self._sum.digest()):
            raise BackendError(
                "gs GET: the bytes have another checksum than the service says: try again, "
                "and if that stays so the artifact is damaged"
            )
        return chunk

    def close(self) -> None:
        self._reply.close()


def _crc32c(headers: Mapping[str, str]) -> bytes | None:
    for each in headers.get("X-Goog-Hash", "").split(","):
        name, _, value = each.strip().partition("=")
        if name == "crc32c":
            return base64.b64decode(value)
    return None
