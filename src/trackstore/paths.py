"""What an artifact's path may be: the one resolver, used by every verb and every route.

The string that is given is the name: HTTP has decoded it once already.  Decoding it further only
decides refusal, so that no layer behind this one, whatever it decodes, can be led elsewhere.  All
other Unicode is legal and comes back as it was: `% # ? ; : +`, spaces, trailing dots, `aux`
(rules A-PTH-01 to A-PTH-03).
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from trackstore.errors import InvalidRequest, LimitExceeded
from trackstore.limits import ARTIFACT_PATH, check_text, shown

SEGMENT_BYTES: Final = 255
"""The UTF-8 bytes of one segment: what every common file system holds."""
_MOST_DECODINGS: Final = 8

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCHEME_OR_DRIVE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def check_path(path: str) -> str:
    """Return `path` unchanged if it may name a file.

    Raises `InvalidRequest` if the path, or what any number of percent-decodings makes of it, has
    an empty, `.` or `..` segment, a backslash or a control character, begins with `/` or `~`, or
    has a drive or URL scheme in its first segment; also for a lone surrogate.  Raises
    `LimitExceeded` over `limits.ARTIFACT_PATH` code points, or 255 UTF-8 bytes in a segment.
    """
    check_text("an artifact path", path, ARTIFACT_PATH)
    for text in decodings(path):
        reason = _reason_to_refuse(text)
        if reason:
            raise InvalidRequest(f"the artifact path {shown(path)} {reason}")
    if len(path) > SEGMENT_BYTES // 4:
        _check_segments(path)
    return path


def check_folder(path: str) -> str:
    """Return `path` unchanged if it may name a folder: as a file, or "" for the root."""
    return path if path == "" else check_path(path)


def join(folder: str, path: str) -> str:
    """Return the path of what is at `path` in `folder`; either may be ""."""
    return f"{folder}/{path}" if folder and path else folder or path


def relative(path: str, folder: str) -> str:
    """Return `path` as seen from `folder`, which must be "" or lie above it."""
    if folder == "":
        return path
    rest = path.removeprefix(f"{folder}/")
    if rest == path:
        raise InvalidRequest(f"{shown(path)} does not lie in {shown(folder)}")
    return rest


def decodings(path: str) -> Iterator[str]:
    """Yield `path`, and what percent-decoding makes of it until that changes nothing."""
    for _ in range(_MOST_DECODINGS):
        yield path
        decoded = unquote(path)
        if decoded == path:
            return
        path = decoded
    raise InvalidRequest(f"an artifact path is percent-encoded more than {_MOST_DECODINGS} times")


def _reason_to_refuse(path: str) -> str | None:
    if path.startswith(("/", "~")):
        return f"begins with {path[0]!r}"
    if "\\" in path or _CONTROL.search(path):
        return "holds a backslash or a control character"
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        return "has an empty, '.' or '..' segment"
    if _SCHEME_OR_DRIVE.match(path):
        return "begins with a drive or a URL scheme"
    return None


def _check_segments(path: str) -> None:
    longest = max(len(segment.encode()) for segment in path.split("/"))
    if longest > SEGMENT_BYTES:
        raise LimitExceeded(
            f"a segment of the artifact path {shown(path)} is {longest:,} bytes long, "
            f"and the limit is {SEGMENT_BYTES}"
        )
