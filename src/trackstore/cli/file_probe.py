"""What `trackstore check` does to an artifact store, each verb by itself."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from itertools import islice
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from trackstore.abilities import KeepsVersions, SignsUploads, SignsURLs
from trackstore.cli.probes import BYTES, Probe, Wrong, gone, same
from trackstore.errors import AlreadyExists, Unavailable
from trackstore.model import SignedURL
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactReader, ArtifactStore

BLOCK = BYTES * 4
BLOCKS = 24
"""Of a mebibyte each: more than any store sends in one piece."""
SECONDS = 60
"""How long what is signed is good for."""
OTHER = b"another"


class ArtifactProbe(Probe[ArtifactStore]):
    """A file of its own, in a folder of its own, on which all is tried that the store offers."""

    vital = frozenset({"write"})

    def __init__(self, url: str) -> None:
        super().__init__(url, open_artifact_store)
        self.path = f"{self.name}/a folder/é.bin"
        self.large = f"{self.name}/large.bin"
        self.signed = f"{self.name}/signed/a file.bin"

    @property
    def steps(self) -> tuple[Callable[[], str], ...]:
        store = self.store
        offered = (
            (store.guarantees.artifact_overwrite != "refused", self.replace),
            (store.guarantees.create_only != "none", self.once),
            (isinstance(store, SignsURLs), self.sign),
            (isinstance(store, SignsUploads), self.upload),
        )
        always = (self.write, self.read, self.range, self.list, self.parts)
        return always + tuple(step for is_offered, step in offered if is_offered)

    def open(self) -> str:
        self.store.scan("", None, 1, deep=False)
        return "it answers"

    def write(self) -> str:
        self.store.put(self.path, [BYTES])
        return f"{self.path!r}, of {len(BYTES):,} bytes"

    def read(self) -> str:
        return self._must_read(0, None, "all bytes")

    def range(self) -> str:
        return self._must_read(1_000, 2_000, "some bytes from the middle")

    def _must_read(self, start: int, length: int | None, what: str) -> str:
        if b"".join(self.reader.get(self.path, start, length)) != BYTES[start:][:length]:
            raise Wrong(f"the bytes from {start:,} on came back changed")
        return what

    def list(self) -> str:
        found = self.reader.scan(f"{self.name}/a folder", None, 10, deep=True).items
        same("the files in the folder", [each.path for each in found], [self.path])
        same("the size", found[0].size, len(BYTES))
        top = self.reader.scan(self.name, None, 10, deep=False).items
        same(
            "the folder",
            [each.path for each in top if each.is_folder][:1],
            [f"{self.name}/a folder"],
        )
        return "the file, by its folder"

    def parts(self) -> str:
        size = len(BLOCK) * BLOCKS
        same("the size", self.store.put(self.large, [BLOCK] * BLOCKS).size, size)
        self._must_be_blocks(self.reader.get(self.large), BLOCKS)
        return f"{size:,} bytes, in as many parts as the store makes of them"

    def _must_be_blocks(self, reader: ArtifactReader, number: int) -> None:
        left = number * len(BLOCK)
        for chunk in _of(reader, len(BLOCK)):
            left -= len(chunk)
            if chunk != BLOCK[: len(chunk)]:
                raise Wrong("the bytes of a large file came back changed")
        same("the bytes of a large file that are missing", left, 0)

    def replace(self) -> str:
        self.store.put(self.path, [OTHER])
        same("the replaced file", b"".join(self.reader.get(self.path)), OTHER)
        if not isinstance(self.reader, KeepsVersions):
            return "the file; the old bytes are gone"
        known = self.reader.scan_versions(self.path, None, 2).items
        if len(known) < 2:
            return "the file; the store is not set to keep the old bytes"
        read = b"".join(self.reader.get_version(self.path, known[1].id))
        same("the size of the old version", len(read), len(BYTES))
        return "the file; the old bytes are kept as a version"

    def once(self) -> str:
        before = b"".join(self.reader.get(self.path))
        with suppress(AlreadyExists):
            self.store.put(self.path, [b"twice"], if_absent=True)
            raise Wrong("a file that is there was created once more")
        same("the file", b"".join(self.reader.get(self.path)), before)
        return "a file that is there is not created again"

    def sign(self) -> str:
        signer = cast("SignsURLs", self.store)
        to_put = signer.sign_url(self.signed, "PUT", SECONDS)
        _ask("PUT", to_put, OTHER)
        same("what a signed PUT wrote", b"".join(self.reader.get(self.signed)), OTHER)
        to_get = signer.sign_url(self.signed, "GET", SECONDS)
        same("what a signed GET read", _ask("GET", to_get)[0], OTHER)
        _must_refuse("PUT", to_get)
        return "a URL to write and one to read, without credentials; each for its verb alone"

    def upload(self) -> str:
        signer = cast("SignsUploads", self.store)
        path = f"{self.name}/signed/large.bin"
        begun = signer.begin_upload(path, 2, SECONDS)
        try:
            body = BLOCK * (BLOCKS // 2)
            tags = [_ask("PUT", part, body)[1] for part in begun.parts]
            signer.finish_upload(path, begun.id, tags)
        except BaseException:
            signer.abort_upload(path, begun.id)
            raise
        self._must_be_blocks(self.reader.get(path), BLOCKS)
        left = signer.begin_upload(path, 2, SECONDS)
        signer.abort_upload(path, left.id)
        return "a file in two parts without credentials, and none that was aborted"

    def remove(self) -> str:
        self.store.delete(self.name)
        gone("the file", lambda: self.reader.stat(self.path))
        same("what is listed", self.reader.scan(self.name, None, 10, deep=True).items, [])
        return "nothing of the probe is left"


def _of(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the bytes anew, in chunks of one size, but for the last."""
    held = b""
    for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    yield from islice((held,), bool(held))


def _ask(verb: str, signed: SignedURL, body: bytes | None = None) -> tuple[bytes, str]:
    """Do as a client would that was given the URL, and return the reply's body and tag."""
    request = Request(signed.url, body, dict(signed.headers), method=verb)  # noqa: S310 - the store's
    if body is not None and not request.has_header("Content-type"):
        request.add_header("Content-type", "application/octet-stream")
    try:
        with urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
            return reply.read(), reply.headers.get("etag", "")
    except HTTPError as error:
        with error:
            raise Wrong(f"a signed {verb} was answered with {error.code}") from error
    except (URLError, HTTPException, OSError) as error:
        raise Unavailable(f"a signed URL led nowhere: {type(error).__name__}") from error


def _must_refuse(verb: str, signed: SignedURL) -> None:
    try:
        _ask(verb, signed, b"forged")
    except Wrong:
        return
    raise Wrong(f"a URL that was signed for another verb was good for {verb}")
