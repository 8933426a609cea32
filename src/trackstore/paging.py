"""Page tokens: a store's cursor, as text that a client hands back unread.

A token carries a version, a digest of the query it belongs to, the cursor and a checksum.  It
grants nothing; what is decoded is treated as anybody's input (rule B-SRC-06).
"""

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

import msgspec

from trackstore.errors import InvalidRequest, TrackstoreError
from trackstore.limits import check_int64, check_text
from trackstore.model import Page, SearchCursor, SortValue

T = TypeVar("T")
C = TypeVar("C", bound=SearchCursor)

VERSION = 1
CHECKSUM_BYTES = 8


class _Token(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    query: bytes
    cursor: tuple[SortValue, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Token)


def encode_token(cursor: SearchCursor, query: object) -> str:
    payload = _encoder.encode(_Token(VERSION, _digest(_encoder.encode(query)), cursor))
    return urlsafe_b64encode(payload + _digest(payload)).decode()


def decode_token(
    token: str | None, query: object, is_cursor: Callable[[SearchCursor], bool]
) -> SearchCursor | None:
    """Return the cursor in a token, or None for the first page, which has no token.

    Raises `InvalidRequest` unless it was made by `encode_token` for an equal query and
    `is_cursor` takes its cursor.
    """
    if not token:
        return None
    found = _decoded(token)
    if found is None or found.version != VERSION or not _is_sound(found.cursor):
        raise InvalidRequest("page_token is not one of ours: ask for the first page without it")
    if found.query != _digest(_encoder.encode(query)) or not is_cursor(found.cursor):
        raise InvalidRequest(
            "page_token belongs to another query: give the same arguments on every page"
        )
    return found.cursor


def tokened(page: Page[T, C], query: object) -> Page[T, str]:
    """Return the page with its cursor as a token."""
    return Page(page.items, None if page.next is None else encode_token(page.next, query))


def _decoded(token: str) -> _Token | None:
    try:
        raw = b64decode(token, altchars=b"-_", validate=True)
        payload, checksum = raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]
        return _decoder.decode(payload) if checksum == _digest(payload) else None
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def _is_sound(cursor: SearchCursor) -> bool:
    """Tell whether every value is one that a store may be given."""
    try:
        for value in cursor:
            if isinstance(value, str):
                check_text("a cursor", value, 2**20)
            elif type(value) is int:
                check_int64("a cursor", value)
    except TrackstoreError:
        return False
    return True


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=CHECKSUM_BYTES).digest()
