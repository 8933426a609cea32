"""Upload, download and delete artifacts through the server.

Bytes stream both ways in bounded memory, and the server makes no temporary file of its own.
"""

import re
from collections.abc import Iterator
from itertools import chain
from mimetypes import MimeTypes
from typing import Any
from urllib.parse import quote

from falcon import Request, Response

from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder
from trackstore.errors import InvalidRequest, NotFound, Unavailable
from trackstore.server import bodies
from trackstore.server.refusals import Refusal
from trackstore.tracker import Tracker
from trackstore.wire.replies import EMPTY

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
_MOST_ATTEMPTS = 5

_TYPES = MimeTypes()
_SHOWN_AS_TEXT = frozenset(
    "cfg conf csv htm html ini js json log md mjs mlmodel py rst sh svg toml ts tsv txt xhtml xml "
    "yaml yml".split()
)
"""Text, and what a browser would run rather than show."""


def upload(tracker: Tracker, request: Request, response: Response, path: str) -> None:
    blocks, length = bodies.upload(request.env)
    _destination(tracker).put(path, blocks, length=length)
    response.content_type = "text/plain"
    response.data = b""


def delete(tracker: Tracker, _request: Request, response: Response, path: str) -> None:
    _destination(tracker).delete(path.removesuffix("/"))
    response.data = EMPTY


def download(tracker: Tracker, request: Request, response: Response, path: str) -> None:
    """Send a file, or the one range of it that is asked for.

    Ranges of several parts, and those that depend on a version, are answered with the whole
    file, as HTTP allows.
    """
    folder = _destination(tracker)
    wanted = None if "HTTP_IF_RANGE" in request.env else request.env.get("HTTP_RANGE")
    if request.method == "HEAD":
        size = _size(folder, path)
        blocks: Iterator[bytes] = iter(())
        start, length = _range(wanted, size) or (0, size)
    else:
        size, start, length, blocks = _open(folder, path, wanted)
    if length != size:
        response.status = "206 Partial Content"
        response.set_header("content-range", f"bytes {start}-{start + length - 1}/{size}")
    response.content_type = content_type(path)
    response.set_header("content-disposition", disposition(path))
    response.set_header("accept-ranges", "bytes")
    response.content_length = length
    response.stream = blocks


def content_type(path: str) -> str:
    """Guess a type from a name; nothing that a browser would run gets a type that it runs."""
    name = path.rpartition("/")[2]
    if name.rpartition(".")[2].lower() in _SHOWN_AS_TEXT:
        return "text/plain; charset=utf-8"
    guessed, encoding = _TYPES.guess_type(name)
    safe = guessed is not None and encoding is None and not guessed.startswith("text/")
    return guessed if safe and guessed else "application/octet-stream"


def disposition(path: str) -> str:
    """Return the header that makes a browser save a file under its own name."""
    name = path.rpartition("/")[2]
    plain = re.sub(r"[^ !#-\[\]-~]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _destination(tracker: Tracker) -> ArtifactFolder:
    return tracker.artifacts.at(PROXIED_ROOT)


def _open(
    folder: ArtifactFolder, path: str, wanted: str | None
) -> tuple[int, int, int, Iterator[bytes]]:
    """Return a file's size, and the start, length and blocks of what is wanted of it.

    The size is looked up again once the first block has fixed the version that is sent: else an
    overwrite in between could pass for the whole file although its end is missing.
    """
    for _ in range(_MOST_ATTEMPTS):
        size = _size(folder, path)
        start, length = _range(wanted, size) or (0, size)
        blocks = iter(folder.get(path, start, length))
        first = next(blocks, b"")
        if _size(folder, path) == size:
            return size, start, length, _sent(first, blocks)
        _close(blocks)
    raise Unavailable("the file is being overwritten again and again")


def _sent(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield all blocks; the server closes it when the client goes away."""
    try:
        yield from chain((first,), blocks) if first else blocks
    finally:
        _close(blocks)


def _close(blocks: Any) -> None:
    if hasattr(blocks, "close"):
        blocks.close()


def _size(folder: ArtifactFolder, path: str) -> int:
    try:
        found = folder.stat(path)
    except NotFound as error:
        raise NotFound("no such artifact") from error
    if found.is_folder or found.size is None:
        raise InvalidRequest("the artifact is a folder, not a file")
    return found.size


def _range(wanted: str | None, size: int) -> tuple[int, int] | None:
    """Return the start and length that a Range header asks for, or None for the whole file.

    Raises a 416 refusal if no byte of the file lies in the range.
    """
    found = _RANGE.fullmatch(wanted or "")
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        start, end = size - length, size - 1
    else:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < start:
            return None
    if start > end:
        message = "no byte of the artifact lies in the range"
        raise Refusal(416, message, headers={"content-range": f"bytes */{size}"})
    return start, end - start + 1
