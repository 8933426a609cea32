"""The front over artifact stores: where a run's files are, and what may be done with them.

Every path goes through `trackstore.paths` and every location through `trackstore.locations`, for
each verb anew.  Whatever these classes raise is of `trackstore.errors`, but for the `OSError` of
a local file that `upload` reads or `download` writes, which comes as it is.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from trackstore import limits, local, locations, paging, paths
from trackstore.errors import InvalidRequest, InvalidState, PermissionDenied
from trackstore.limits import check_page
from trackstore.locations import PROXIED_ROOT, Location, parse_location
from trackstore.model import ArtifactInfo, Page, SearchCursor
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactReader, ArtifactStore

__all__ = ["PROXIED_ROOT", "ArtifactFolder", "Artifacts"]

_WALK_PAGE: Final = 1_000


class Artifacts:
    """Resolves artifact locations to folders of artifact stores.

    `destination` is the URL of the store that `mlflow-artifacts:/` leads to.  `root` is where the
    artifacts of new experiments lie.  A location is good if it lies under `mlflow-artifacts:/`,
    `root` or one of `allowed`; of several the most specific one decides, and each is opened as a
    store of its own, at first use.  Thread-safe.
    """

    def __init__(
        self, destination: str, *, root: str = PROXIED_ROOT, allowed: Sequence[str] = ()
    ) -> None:
        self._root = locations.tidy(locations.url_of(root))
        self._urls = {parse_location(PROXIED_ROOT): locations.url_of(destination)}
        for url in map(locations.url_of, (root, *allowed)):
            place = parse_location(url)
            if not place.is_proxied:
                self._urls[place] = locations.tidy(url)
        self._stores: dict[Location, ArtifactStore] = {}
        self._closed = False

    def close(self) -> None:
        """Close all stores, after the calls under way; later calls raise `InvalidState`."""
        self._closed = True
        for store in tuple(self._stores.values()):
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def location(self, experiment_id: str) -> str:
        """Return the artifact location of a new experiment: `<root>/<experiment>`."""
        return locations.child(self._root, paths.check_path(experiment_id))

    def run_uri(self, location: str, run_id: str) -> str:
        """Return where a run's artifacts lie: `<experiment's location>/<run>/artifacts`."""
        folder = locations.child(location, paths.check_path(run_id))
        return locations.child(folder, "artifacts")

    def check_location(self, uri: str) -> str:
        """Return a location that a client chose as it is to be stored.

        Raises `InvalidRequest` if it has a host where that means another machine, a password,
        options, parameters, a fragment, a dot segment in any decoding, no scheme, or the scheme
        `http`, `https`, `models` or `runs`; `LimitExceeded` over `limits.ARTIFACT_LOCATION`;
        `PermissionDenied` if it lies under none of the roots.
        """
        place = parse_location(uri)
        place.path_in(self._root_of(place))
        return locations.tidy(uri)

    def at(self, uri: str) -> "ArtifactFolder":
        """Return the folder that a stored location names; it is checked as a client's is."""
        place = parse_location(uri)
        root = self._root_of(place)
        path = place.path_in(root)
        return ArtifactFolder(self._store(root), path)

    def _root_of(self, place: Location) -> Location:
        for end in range(len(place.segments), -1, -1):
            root = place._replace(segments=place.segments[:end])
            if root in self._urls:
                return root
        raise PermissionDenied(
            f"an artifact location of the scheme {place.scheme[:40]}: lies under none of the roots "
            "that this server or library was given; --allow-artifact-root adds one"
        )

    def _store(self, root: Location) -> ArtifactStore:
        store = self._stores.get(root)
        if store is None:
            opened = open_artifact_store(self._urls[root])
            store = self._stores.setdefault(root, opened)
            if store is not opened:
                opened.close()
        if self._closed:
            store.close()
            raise InvalidState("these artifact stores are closed")
        return store


class ArtifactFolder:
    """The files below one location.  All paths, given and returned, are relative to it.

    Every verb raises `InvalidRequest` or `LimitExceeded` for a path that `trackstore.paths`
    refuses, before the store is asked.
    """

    def __init__(self, store: ArtifactStore, prefix: str = "") -> None:
        self._store = store
        self._prefix = paths.check_folder(prefix)

    def put(
        self,
        path: str,
        chunks: Iterable[bytes],
        *,
        if_absent: bool = False,
        length: int | None = None,
    ) -> ArtifactInfo:
        """Write a file, or replace it: readers see the old bytes or all of the new (A-PUT-02).

        Nothing is published if `chunks` raises, or, with `length` given, if it has fewer or more
        bytes, which raises `InvalidRequest` (A-PUT-06).  Raises `AlreadyExists` if `if_absent` is
        set and the file is there, `Conflict` if a folder has the path or a file that of a parent.
        """
        whole = chunks if length is None else _exactly(chunks, length)
        return self._seen(self._store.put(self._at(path), whole, if_absent=if_absent))

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        """Return the bytes from `start`, at most `length` of them, of one version of the file.

        The reader's `size` is that of the whole version.  A start at or beyond the end gives no
        bytes.  Raises `NotFound` at once if there is no such file (A-GET-01, A-GET-02).
        """
        if start < 0 or (length is not None and length < 0):
            raise InvalidRequest("a range of an artifact begins or is less than 0")
        return self._store.get(self._at(path), start, length)

    def stat(self, path: str) -> ArtifactInfo:
        """Return what `path` is, a file or a folder, or raise `NotFound`."""
        return self._seen(self._store.stat(self._at(path)))

    def list(
        self, path: str = "", *, limit: int = 1_000, page_token: str | None = None
    ) -> Page[ArtifactInfo, str]:
        """Return a page of one folder's files and folders, by path (A-LST-01, A-LST-03).

        What is missing, or is a file, has none.  A page's `next` is the `page_token` of the page
        after it.
        """
        folder = self._at_folder(path)
        query = ("artifacts", folder)
        cursor = paging.decode_token(page_token, query, _is_path)
        after = None if cursor is None else paths.join(self._prefix, str(cursor[0]))
        page = self._store.scan(folder, after, check_page(limit, limits.PAGE), deep=False)
        found = [self._seen(info) for info in page.items]
        more = None if page.next is None else (self._relative(page.next),)
        return paging.tokened(Page(found, more), query)

    def walk(self, path: str = "") -> Iterator[ArtifactInfo]:
        """Yield all files below a folder, by path, page by page."""
        folder, after = self._at_folder(path), None
        while True:
            page = self._store.scan(folder, after, _WALK_PAGE, deep=True)
            yield from map(self._seen, page.items)
            after = page.next
            if after is None:
                return

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; a missing one is no error."""
        self._store.delete(self._at(path))

    def clear(self) -> None:
        """Remove the folder itself with all that is in it, as when its run is purged.

        Raises `InvalidRequest` if it is a store's root.
        """
        if not self._prefix:
            raise InvalidRequest("the root of an artifact store is never deleted")
        self._store.delete(self._prefix)

    def upload(self, source: str | os.PathLike[str], path: str | None = None) -> None:
        """Write a local file, or all files below a local folder.

        `path` is where the file goes, by default under its own name, or the folder that the
        folder's files go into, by default this one.  Each file is published whole; a tree is not
        one transaction.  Links in the tree are not followed: one of them, or anything else that
        is no file or folder, raises `InvalidRequest` before anything is written.  An empty folder
        leaves no trace.
        """
        if os.path.isdir(source):  # noqa: PTH112
            folder = paths.check_folder(path or "")
            for name in local.files_below(source, folder):
                self.put(paths.join(folder, name), local.read(source, name))
        else:
            self.put(path or os.path.basename(source), local.read(source))  # noqa: PTH119

    def download(self, path: str, destination: str | os.PathLike[str]) -> None:
        """Write a file, or a folder with all that is in it, to the local path `destination`.

        It appears there whole or not at all, under another name until it is complete (A-GET-03).
        A file replaces one that is there.  A folder needs a destination that is missing or empty,
        else `InvalidRequest` is raised.
        """
        if path and not self.stat(path).is_folder:
            with local.appearing(destination) as part:
                local.write(part, self.get(path))
            return
        local.check_free(destination)
        with local.appearing(destination) as part:
            part.mkdir()
            for info in self.walk(path):
                name = paths.check_path(paths.relative(info.path, path))
                local.write(part / name, self.get(info.path))

    def _at(self, path: str) -> str:
        return paths.join(self._prefix, paths.check_path(path))

    def _at_folder(self, path: str) -> str:
        return paths.join(self._prefix, paths.check_folder(path))

    def _relative(self, path: str) -> str:
        return paths.relative(path, self._prefix)

    def _seen(self, info: ArtifactInfo) -> ArtifactInfo:
        return replace(info, path=self._relative(info.path))


def _exactly(chunks: Iterable[bytes], length: int) -> Iterator[bytes]:
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > length:
            raise InvalidRequest(f"more bytes came than the {length:,} that were announced")
        yield chunk
    if seen < length:
        raise InvalidRequest(f"only {seen:,} of the {length:,} bytes announced came")


def _is_path(cursor: SearchCursor) -> bool:
    return len(cursor) == 1 and isinstance(cursor[0], str)
