"""Read a request's body: whole for JSON, in blocks for a file."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from trackstore import limits
from trackstore.errors import InvalidRequest, LimitExceeded
from trackstore.server.refusals import Refusal

BLOCK = 256 * 1024


def read_json_body(env: dict[str, Any]) -> bytes:
    """Return the body of a JSON request.

    Raises a 415 refusal for another content type, so that no HTML form can send one from a
    foreign page, `LimitExceeded` for a body over the limit, and `InvalidRequest` for a cut one.
    """
    kind = env.get("CONTENT_TYPE", "")
    if kind != "application/json" and _media_type(kind) != "application/json":
        raise Refusal(415, "Content-Type must be application/json")
    declared = env.get("CONTENT_LENGTH")
    if not declared:
        return _read_undeclared(env["wsgi.input"])
    length = int(declared)
    if length > limits.REQUEST_BYTES:
        raise _too_large()
    body: bytes = env["wsgi.input"].read(length)
    if len(body) < length:
        body += b"".join(_blocks(env["wsgi.input"], length - len(body)))
    return body


def read_json_body_if_any(env: dict[str, Any]) -> bytes:
    """Return the body of a JSON request; of one without a body that of an empty object."""
    if env.get("CONTENT_LENGTH", "0").strip("0") or "HTTP_TRANSFER_ENCODING" in env:
        return read_json_body(env)
    return b"{}"


def upload(env: dict[str, Any]) -> tuple[Iterator[bytes], int]:
    """Return the blocks of an uploaded file, and its length.

    The iterator raises `InvalidRequest` when fewer bytes come than were declared, or others than
    the `Content-Digest` (RFC 9530) says: a client that is cut off looks to the server like the
    end of its body.

    Raises a 411 refusal for a chunked body that is neither empty nor declares its length, in
    `X-Expected-Entity-Length`, and its digest.
    """
    stream = env["wsgi.input"]
    digest = _declared_digest(env)
    declared = env.get("CONTENT_LENGTH")
    if declared:
        length = int(declared)
        return _checked(_blocks(stream, length), digest), length
    expected = env.get("HTTP_X_EXPECTED_ENTITY_LENGTH", "")
    if digest and expected.isascii() and expected.isdigit():
        length = int(expected)
        return _checked(_whole(stream, length), digest), length
    if stream.read(1):
        raise Refusal(411, "send a Content-Length: the end of a chunked body cannot be trusted")
    return iter(()), 0


def _read_undeclared(stream: Any) -> bytes:
    blocks, size = [], 0
    while block := stream.read(BLOCK):
        blocks.append(block)
        size += len(block)
        if size > limits.REQUEST_BYTES:
            raise _too_large()
    return b"".join(blocks)


def _blocks(stream: Any, length: int) -> Iterator[bytes]:
    left = length
    while left:
        block = stream.read(min(left, BLOCK))
        if not block:
            raise InvalidRequest(f"the body ended {left:,} bytes before its declared length")
        left -= len(block)
        yield block


def _whole(stream: Any, length: int) -> Iterator[bytes]:
    yield from _blocks(stream, length)
    if stream.read(1):
        raise InvalidRequest("the body is longer than was declared")


def _checked(blocks: Iterator[bytes], digest: str | None) -> Iterator[bytes]:
    if digest is None:
        yield from blocks
        return
    found = sha256()
    for block in blocks:
        found.update(block)
        yield block
    if b64encode(found.digest()).decode() != digest:
        raise InvalidRequest("the body does not have the digest that Content-Digest declares")


def _declared_digest(env: dict[str, Any]) -> str | None:
    """Return the SHA-256 of `Content-Digest: sha-256=:...:`, or None if none is given."""
    for member in env.get("HTTP_CONTENT_DIGEST", "").split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == "sha-256":
            digest: str = value.strip(":")
            return digest
    return None


def _media_type(kind: str) -> str:
    return kind.partition(";")[0].strip().lower()


def _too_large() -> LimitExceeded:
    return LimitExceeded(f"the body of a request may have {limits.REQUEST_BYTES:,} bytes at most")
