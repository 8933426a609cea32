"""How a call of a contract travels between an `http://` store and `trackstore server`.

A message is one or more frames: a length, a CRC-32 and as many bytes.  The first frame of a
request has the method and its arguments, and that of a reply what it returned or raised, as
msgpack; the frames after it are the chunks of a file, and an empty one ends them.  So a request
that was cut is known for it, and so is a bit that was flipped on the way.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from struct import Struct
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_type_hints
from zlib import crc32

from msgspec import DecodeError, ValidationError
from msgspec.msgpack import Decoder, Encoder

from trackstore import errors
from trackstore.abilities import DownsamplesHistory, ReadsColumns, SearchesRuns
from trackstore.errors import AlreadyExists, InvalidRequest, TrackstoreError
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.stores import ArtifactReader, ArtifactStore, Store

ROOT: Final = "/api/trackstore/1.0"
"""Before the name of a method, in a path; the number is that of the contract."""
MEDIA_TYPE: Final = "application/vnd.trackstore"
"""Of requests and replies; no form of a web page can send it."""
MOST: Final = 64 * 1024 * 1024
"""Bytes in one frame: a page of 50,000 runs fits, and so does every batch."""

_HEAD = Struct(">II")

Read = Callable[[int], bytes]
"""Returns at most so many bytes, and none at the end."""


_READ = ("get", "find", "scan", "search", "metric", "downsample", "stat")


class Damaged(Exception):
    """What arrived is not, or not all of, what was sent."""


class Method(NamedTuple):
    """A call of a contract."""

    name: str
    contract: type
    arguments: "Decoder[tuple[Any, ...]]"
    """All but the chunks of a file, which come after it."""
    result: "Decoder[Any]"
    """Of a reader its size, before the chunks."""

    @property
    def reads(self) -> bool:
        """Tell if it changes nothing."""
        return self.name.startswith(_READ)


def frame(payload: bytes) -> bytes:
    """Return a frame; an empty payload ends a file."""
    return _HEAD.pack(len(payload), crc32(payload)) + payload


def read_frame(read: Read) -> bytes:
    """Return the payload of the next frame.

    Raises `Damaged` if it does not come whole.
    """
    length, checksum = _HEAD.unpack(_exactly(read, _HEAD.size))
    if length > MOST:
        raise Damaged
    payload = _exactly(read, length)
    if crc32(payload) != checksum:
        raise Damaged
    return payload


def chunks_of(read: Read) -> Iterator[bytes]:
    """Yield the chunks of a file, up to the frame that ends them."""
    while chunk := read_frame(read):
        yield chunk


def frames_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a file as frames of at most a megabyte, with the one that ends it."""
    for chunk in chunks:
        for start in range(0, len(chunk), 2**20):
            yield frame(chunk[start : start + 2**20])
    yield frame(b"")


def _exactly(read: Read, size: int) -> bytes:
    found = read(size)
    while len(found) < size:
        more = read(size - len(found))
        if not more:
            raise Damaged
        found += more
    return found


def to_request(name: str, args: tuple[Any, ...]) -> bytes:
    return frame(_ENCODER.encode([name, _ENCODER.encode(args)]))


def from_request(name: str, payload: bytes) -> tuple[Any, ...]:
    """Return the arguments of a call of the method `name`.

    Raises `InvalidRequest` if they are not of its types.
    """
    try:
        asked, given = _REQUEST.decode(payload)
        if asked != name:
            raise InvalidRequest("the path and the body of the request name two methods")
        return METHODS[name].arguments.decode(given)
    except (DecodeError, ValidationError) as error:
        raise InvalidRequest(f"{name}: {error}") from error


def to_reply(value: Any) -> bytes:
    return frame(_ENCODER.encode(["", _ENCODER.encode(value)]))


def to_failure(error: TrackstoreError) -> bytes:
    field = error.field if isinstance(error, AlreadyExists) else None
    kinds = (base for base in type(error).__mro__ if base.__module__ == errors.__name__)
    kind = next(kinds).__name__  # a store may have kinds of its own
    return frame(_ENCODER.encode([kind, _ENCODER.encode([str(error), error.outcome, field])]))


def from_reply(name: str, payload: bytes) -> Any:
    """Return what a call returned, or raise what it raised.

    Raises `Damaged` if the reply makes no sense.
    """
    try:
        kind, value = _REQUEST.decode(payload)
        if not kind:
            return METHODS[name].result.decode(value)
        failure = _failure(kind, *_FAILURE.decode(value))
    except (DecodeError, ValidationError) as error:
        raise Damaged from error
    raise failure


def _failure(kind: str, message: str, outcome: errors.Outcome, field: str | None) -> Exception:
    found = getattr(errors, kind, None)
    if not (isinstance(found, type) and issubclass(found, TrackstoreError)):
        raise Damaged
    more = {} if field is None else {"field": field}
    return found(message, outcome=outcome, **more)


def _plain(value: Any) -> Any:
    """Return a column of a history as bytes: its type code, and its numbers, little-endian."""
    if not isinstance(value, array):
        raise TypeError(type(value).__name__)
    return value.typecode.encode() + _little_endian(value).tobytes()


def _column(_kind: type, value: Any) -> Any:
    if not isinstance(value, bytes) or value[:1] not in {b"q", b"d"} or len(value) % 8 != 1:
        raise ValidationError("not a column of numbers")
    return _little_endian(array(chr(value[0]), value[1:]))


def _little_endian(column: "array[Any]") -> "array[Any]":
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column


_ENCODER = Encoder(enc_hook=_plain)
_REQUEST = Decoder(tuple[str, bytes])
_FAILURE = Decoder(tuple[str, errors.Outcome, str | None])


def _methods() -> Iterator[Method]:
    for contract, names in (
        (LoggedModelStore, LoggedModelStore.__abstractmethods__),
        (RegistryStore, RegistryStore.__abstractmethods__),
        (SearchesRuns, {"search_runs"}),
        (ReadsColumns, {"metric_columns"}),
        (DownsamplesHistory, {"downsample_history"}),
        (ArtifactStore, ArtifactStore.__abstractmethods__),
    ):
        for name in sorted(names - Store.__abstractmethods__):
            yield _method(contract, name)


def _method(contract: type, name: str) -> Method:
    *arguments, result = get_type_hints(getattr(contract, name)).values()
    sent = tuple(each for each in arguments if each != Iterable[bytes])
    returned = int if result is ArtifactReader else result
    taken: Any = tuple.__class_getitem__(sent)
    return Method(name, contract, Decoder(taken), Decoder(returned, dec_hook=_column))


METHODS: Mapping[str, Method] = MappingProxyType({each.name: each for each in _methods()})
"""All calls of the contracts, by name; no two contracts have one of the same name."""
