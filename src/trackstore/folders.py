"""The front over one folder of an artifact store: what may be done with the files in it.

Every path goes through `trackstore.paths`, for each verb anew.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from trackstore import limits, local, paging, paths
from trackstore.abilities import KeepsVersions, SignsUploads, SignsURLs
from trackstore.errors import InvalidRequest, Unsupported
from trackstore.limits import check_page, check_text
from trackstore.model import (
    ArtifactInfo,
    ArtifactVersion,
    Page,
    SearchCursor,
    SignedUpload,
    SignedURL,
)
from trackstore.parallel import Progress, Transfer
from trackstore.stores import ArtifactReader, ArtifactStore

WORKERS: Final = 8
"""Files of a tree that are moved at once."""
_WALK_PAGE: Final = 1_000


class ArtifactFolder:
    """The files below one location.  All paths, given and returned, are relative to it.

    Every verb raises `InvalidRequest` or `LimitExceeded` for a path that `trackstore.paths`
    refuses, before the store is asked.
    """

    def __init__(self, store: ArtifactStore, prefix: str = "", *, direct: bool = True) -> None:
        self._store = store
        self._direct = direct
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
        _check_range(start, length)
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

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        """Return a page as `ArtifactStore.scan` does: its `next` is a path, and no token."""
        begin = None if after is None else paths.join(self._prefix, after)
        page = self._store.scan(self._at_folder(prefix), begin, limit, deep=deep)
        following = None if page.next is None else self._relative(page.next)
        return Page([self._seen(info) for info in page.items], following)

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

    def versions(
        self, path: str, *, limit: int = 1_000, page_token: str | None = None
    ) -> Page[ArtifactVersion, str]:
        """Return a page of a file's versions, the newest first, which is what `get` reads.

        A file that is not there may have none.  Raises `Unsupported` if the store keeps no
        versions of what is overwritten (A-KEP-01).
        """
        query = ("versions", self._at(path))
        cursor = paging.decode_token(page_token, query, _is_path)
        after = None if cursor is None else str(cursor[0])
        page = self._keeper().scan_versions(self._at(path), after, check_page(limit, limits.PAGE))
        more = None if page.next is None else (page.next,)
        return paging.tokened(Page(page.items, more), query)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        """Return the bytes of one version of a file, as `get` does those of the newest.

        Raises `NotFound` if the file has no such version, or no longer, and `Unsupported` as
        `versions` does.
        """
        check_text("the id of a version", version, limits.ARTIFACT_VERSION)
        _check_range(start, length)
        return self._keeper().get_version(self._at(path), version, start, length)

    @property
    def signs_urls(self) -> bool:
        """Tell if clients may be given URLs of this folder's files."""
        return self._direct and isinstance(self._store, SignsURLs)

    @property
    def signs_uploads(self) -> bool:
        """Tell if clients may be given URLs to upload in parts."""
        return self._direct and isinstance(self._store, SignsUploads)

    def sign_url(self, path: str, verb: Literal["GET", "PUT"], seconds: int) -> SignedURL:
        """Return a URL by which anybody may read or write this one file, for so many seconds.

        Raises `InvalidRequest` beyond `limits.SIGNED_SECONDS`, and `Unsupported` if the store
        signs none, or was told not to.
        """
        whole = self._at(path)
        _check_seconds(seconds)
        if not (self._direct and isinstance(self._store, SignsURLs)):
            raise Unsupported(
                "this artifact store gives out no URLs: send files through the server"
            )
        return self._store.sign_url(whole, verb, seconds)

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        """Begin an upload that anybody who has its URLs may send in so many parts.

        Raises `InvalidRequest` unless there are 1 to `limits.UPLOAD_PARTS`, and as `sign_url`.
        """
        whole = self._at(path)
        _check_seconds(seconds)
        if type(parts) is not int or not 1 <= parts <= limits.UPLOAD_PARTS:
            raise InvalidRequest(f"an upload has 1 to {limits.UPLOAD_PARTS:,} parts")
        return self._signer().begin_upload(whole, parts, seconds)

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        """Publish the parts as one file; `tags` are what the service replied to each, in order.

        Raises `NotFound` for an upload that is not under way or is of another path,
        `InvalidRequest` if a part is missing or another than its tag says.
        """
        whole = self._at(path)
        check_text("the id of an upload", upload_id, limits.UPLOAD_ID)
        for tag in tags:
            check_text("the tag of a part", tag, limits.UPLOAD_ID)
        return self._seen(self._signer().finish_upload(whole, upload_id, tags))

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Drop the parts that were sent; an upload that is not there is no error."""
        whole = self._at(path)
        check_text("the id of an upload", upload_id, limits.UPLOAD_ID)
        self._signer().abort_upload(whole, upload_id)

    def upload(
        self,
        source: str | os.PathLike[str],
        path: str | None = None,
        *,
        workers: int = WORKERS,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        """Write a local file, or all files below a local folder, several at a time.

        `path` is where the file goes, by default under its own name, or the folder that the
        folder's files go into, by default this one.  Each file is published whole; a tree is not
        one transaction.  Links in the tree are not followed: one of them, or anything else that
        is no file or folder, raises `InvalidRequest` before anything is written.  An empty folder
        leaves no trace.  After a failure no further file is begun, and its error is raised.

        `progress` is called from any thread, by one at a time, each time something was moved.
        """
        transfer = Transfer(progress)
        if not os.path.isdir(source):  # noqa: PTH112
            name = path or os.path.basename(source)  # noqa: PTH119
            transfer.found(os.stat(source).st_size)  # noqa: PTH116
            transfer.counted()
            self.put(name, transfer.through(local.read(source)))
            return
        folder = paths.check_folder(path or "")
        transfer.found(*local.check_tree(source, folder))

        def move(name: str) -> None:
            self.put(paths.join(folder, name), transfer.through(local.read(source, name)))

        transfer.each(move, local.files_below(source), workers)

    def download(
        self,
        path: str,
        destination: str | os.PathLike[str],
        *,
        version: str | None = None,
        workers: int = WORKERS,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        """Write a file, or a folder with all that is in it, to the local path `destination`.

        It appears there whole or not at all, under another name until it is complete (A-GET-03).
        A file replaces one that is there; `version` says which of its versions, by default the
        newest.  A folder needs a destination that is missing or empty, else `InvalidRequest` is
        raised; its files are read several at a time.  `progress` is called as `upload` does.
        """
        transfer = Transfer(progress)
        if version is not None or (path and not self.stat(path).is_folder):
            reader = self.get(path) if version is None else self.get_version(path, version)
            transfer.found(reader.size)
            transfer.counted()
            with closing(reader), local.appearing(destination) as part:
                local.write(part, transfer.through(reader))
            return
        local.check_free(destination)
        with local.appearing(destination) as part:
            part.mkdir()
            self._download_tree(path, part, transfer, workers)

    def _download_tree(self, path: str, part: Path, transfer: Transfer, workers: int) -> None:
        def move(info: ArtifactInfo) -> None:
            name = paths.check_path(paths.relative(info.path, path))
            with closing(self.get(info.path)) as reader:
                local.write(part / name, transfer.through(reader))

        def found() -> Iterator[ArtifactInfo]:
            for info in self.walk(path):
                transfer.found(info.size or 0)
                yield info

        transfer.each(move, found(), workers)

    def _keeper(self) -> KeepsVersions:
        if not isinstance(self._store, KeepsVersions):
            raise Unsupported("this artifact store keeps no versions of what is overwritten")
        return self._store

    def _signer(self) -> SignsUploads:
        if not (self._direct and isinstance(self._store, SignsUploads)):
            raise Unsupported("this artifact store takes no parts: send files through the server")
        return self._store

    def _at(self, path: str) -> str:
        return paths.join(self._prefix, paths.check_path(path))

    def _at_folder(self, path: str) -> str:
        return paths.join(self._prefix, paths.check_folder(path))

    def _relative(self, path: str) -> str:
        return paths.relative(path, self._prefix)

    def _seen(self, info: ArtifactInfo) -> ArtifactInfo:
        return replace(info, path=self._relative(info.path))


def _check_range(start: int, length: int | None) -> None:
    if start < 0 or (length is not None and length < 0):
        raise InvalidRequest("a range of an artifact begins or is less than 0")


def _check_seconds(seconds: int) -> None:
    if type(seconds) is not int or not 1 <= seconds <= limits.SIGNED_SECONDS:
        raise InvalidRequest(f"a signed URL is good for 1 to {limits.SIGNED_SECONDS:,} seconds")


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
