"""The folder that a `file:` URL names, and how many versions it keeps."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote

from trackstore.errors import InvalidRequest

KEPT = 10
"""Old versions of each file, where the URL does not say."""


def place_of(url: str) -> tuple[Path, int]:
    """Return the root of a store of files, and how many old versions of each it keeps."""
    place, question, query = url.partition("?")
    return root_of(place), _kept(query) if question else KEPT


def root_of(url: str) -> Path:
    scheme, _, rest = url.partition(":")
    path = rest.removeprefix("//")
    if scheme.lower() != "file" or not path.startswith("/") or path.startswith("//"):
        raise InvalidRequest("expected file:///absolute/path, with no host")
    if "?" in path or "#" in path:
        raise InvalidRequest("file: takes no such options; write ? as %3F and # as %23 in a path")
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the path of a file: URL is not UTF-8") from error
    if "\0" in decoded:
        raise InvalidRequest("the path of a file: URL holds a NUL")
    return Path(decoded)


def _kept(query: str) -> int:
    match parse_qsl(query, keep_blank_values=True):
        case [("versions", number)] if number.isascii() and number.isdigit() and len(number) < 7:
            return int(number)
    raise InvalidRequest(
        "a file: URL has one option, such as ?versions=10; write ? as %3F in a path"
    )
