"""The stores themselves, served to `http://` stores: the contract, a call a request.

Who may call these can do what whoever knows the stores' URLs can, so they are served only if the
operator says so.  The front is on the client's side; what is checked here is what every store
relies on: types, the ends of int64, lengths, the size of a page, and the paths of artifacts, which
are resolved as everywhere.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from falcon import Request, Response
from msgspec import Struct, to_builtins

from trackstore import history, limits, remote, search
from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder
from trackstore.errors import BackendError, TrackstoreError, Unavailable, Unsupported
from trackstore.limits import check_int64, check_page, check_size
from trackstore.server.refusals import Refusal
from trackstore.server.watch import ERROR, request_id
from trackstore.stores import ArtifactReader, ArtifactStore
from trackstore.tracker import Tracker

LONGEST = limits.DATASET_PROFILE
PAGES = {"metric_history": limits.HISTORY_PAGE, "metric_columns": limits.COLUMNS_PAGE}
PAGED = ("scan", "search", "metric")
FALLBACKS: Mapping[str, Callable[..., Any]] = {
    "search_runs": search.search_runs,
    "metric_columns": history.metric_columns,
    "downsample_history": history.downsample,
}
"""What the front can do on any store."""

log = logging.getLogger("trackstore.server")


def answer(name: str, tracker: Tracker, request: Request, response: Response) -> None:
    """Answer a request that calls the method `name`."""
    if request.env.get("CONTENT_TYPE") != remote.MEDIA_TYPE:
        raise Refusal(415, f"Content-Type must be {remote.MEDIA_TYPE}")
    response.content_type = remote.MEDIA_TYPE
    read = request.env["wsgi.input"].read
    try:
        args = remote.from_request(name, remote.read_frame(read))
        _check(args)
        response.stream = _reply(name, tracker, args, read)
    except remote.Damaged:
        damage = Unavailable("the request was damaged on its way, or did not come whole")
        response.data = remote.to_failure(damage)
    except TrackstoreError as error:
        request.env[ERROR] = error
        _end(name, read)
        if isinstance(error, BackendError):
            named = {"request_id": request_id(request.env), "call": name}
            log.exception("a call of a store failed", extra=named)
        response.data = remote.to_failure(error)


def _end(name: str, read: remote.Read) -> None:
    """Read a file to its end: who is still sending hears nothing."""
    with suppress(remote.Damaged):
        for _ in remote.chunks_of(read) if name == "put" else ():
            pass


def _reply(
    name: str, tracker: Tracker, args: tuple[Any, ...], read: remote.Read
) -> Iterable[bytes]:
    """Return the frames of what a call returns; the call is made before the first of them."""
    if remote.METHODS[name].contract is ArtifactStore:
        return _of_files(name, tracker.artifacts.at(PROXIED_ROOT), args, read)
    if name.startswith(PAGED):
        check_page(args[-1], PAGES.get(name, limits.PAGE))
    if name in FALLBACKS:
        return [remote.to_reply(FALLBACKS[name](tracker.store, *args))]
    store = _store_of(remote.METHODS[name], tracker)
    return [remote.to_reply(getattr(store, name)(*args))]


def _store_of(method: remote.Method, tracker: Tracker) -> Any:
    for store in (tracker.store, tracker.registry_store):
        if isinstance(store, method.contract) or hasattr(store, method.name):
            return store
    raise Unsupported(f"the server's stores have no {method.name}")


def _of_files(
    name: str, folder: ArtifactFolder, args: tuple[Any, ...], read: remote.Read
) -> Iterable[bytes]:
    if name == "put":
        path, if_absent = args
        info = folder.put(path, remote.chunks_of(read), if_absent=if_absent)
        return [remote.to_reply(info)]
    if name == "get":
        return _Sent(folder.get(*args))
    if name == "scan":
        prefix, after, limit, deep = args
        page = folder.scan(prefix, after, check_page(limit, limits.PAGE), deep=deep)
        return [remote.to_reply(page)]
    return [remote.to_reply(getattr(folder, name)(*args))]


class _Sent:
    """A file as frames, whose reader is closed when the reply has ended."""

    def __init__(self, reader: ArtifactReader) -> None:
        self._reader = reader
        self._frames = chain([remote.to_reply(reader.size)], remote.frames_of(reader))

    def __iter__(self) -> Iterator[bytes]:
        return self._frames

    def close(self) -> None:
        self._reader.close()


def _check(value: Any) -> None:
    """Raise `InvalidRequest` or `LimitExceeded` for what no store could keep."""
    if isinstance(value, Struct):
        value = to_builtins(value)
    if isinstance(value, str):
        check_size("a text", value, LONGEST)
    elif isinstance(value, Mapping):
        for each in chain.from_iterable(value.items()):
            _check(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each)
    elif type(value) is int:
        check_int64("a number", value)


ANSWERS: Mapping[str, Callable[[Tracker, Request, Response], None]] = {
    name: partial(answer, name) for name in remote.METHODS
}
