"""Upload, download and delete artifacts through the server.

Bytes stream both ways in bounded memory, and the server makes no temporary file of its own.
"""

import re
from mimetypes import MimeTypes
from urllib.parse import quote

from falcon import Request, Response

from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder
from trackstore.server import bodies
from trackstore.server.refusals import Refusal
from trackstore.stores import ArtifactReader
from trackstore.tracker import Tracker
from trackstore.wire.replies import EMPTY

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")

_TYPES = MimeTypes()
_SHOWN_AS_TEXT = frozenset(
    "cfg conf csv htm html ini js json log md mjs mlmodel py rst sh svg toml ts tsv txt xhtml xml "
    "yaml yml".split()
)
"""Text, and what a browser would run rather than show."""


def upload(tracker: Tracker, request: Request, response: Response, path: str) -> None:
    receive(_destination(tracker), request, response, path)


def delete(tracker: Tracker, _request: Request, response: Response, path: str) -> None:
    _destination(tracker).delete(path.removesuffix("/"))
    response.data = EMPTY


def download(tracker: Tracker, request: Request, response: Response, path: str) -> None:
    send(_destination(tracker), request, response, path)


def receive(folder: ArtifactFolder, request: Request, response: Response, path: str) -> None:
    """Write the body to a file, once all of it has come."""
    blocks, length = bodies.upload(request.env)
    folder.put(path, blocks, length=length)
    response.content_type = "text/plain"
    response.data = b""


def send(folder: ArtifactFolder, request: Request, response: Response, path: str) -> None:
    """Send a file, or the one range of it that is asked for.

    Ranges of several parts, and those that depend on a version, are answered with the whole
    file, as HTTP allows.
    """
    wanted = None if "HTTP_IF_RANGE" in request.env else request.env.get("HTTP_RANGE")
    reader, start, length = _open(folder, path, wanted)
    if length != reader.size:
        response.status = "206 Partial Content"
        end = start + length - 1
        response.set_header("content-range", f"bytes {start}-{end}/{reader.size}")
    response.content_type = content_type(path)
    response.set_header("content-disposition", disposition(path))
    response.set_header("accept-ranges", "bytes")
    response.content_length = length
    if request.method == "HEAD":
        reader.close()
    else:
        response.stream = reader


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


def _open(folder: ArtifactFolder, path: str, wanted: str | None) -> tuple[ArtifactReader, int, int]:
    """Return a reader of what a Range header asks for, with its start and length.

    Raises a 416 refusal if no byte of the file lies in the range.
    """
    asked = _range(folder, path, wanted)
    if asked is None:
        reader = folder.get(path)
        return reader, 0, reader.size
    start, count = asked
    reader = folder.get(path, start, count)
    if start >= reader.size:
        reader.close()
        message = "no byte of the artifact lies in the range"
        raise Refusal(416, message, headers={"content-range": f"bytes */{reader.size}"})
    left = reader.size - start
    return reader, start, left if count is None else min(count, left)


def _range(folder: ArtifactFolder, path: str, wanted: str | None) -> tuple[int, int | None] | None:
    """Return the start of a range and how many bytes it may have, or None for the whole file."""
    found = _RANGE.fullmatch(wanted or "")
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        size = folder.stat(path).size or 0
        return max(size - int(suffix), 0), None
    if last and int(last) < int(first):
        return None
    return int(first), int(last) - int(first) + 1 if last else None
