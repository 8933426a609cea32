"""Artifacts on any file system of fsspec."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, ClassVar, Self, cast

from trackstore.errors import InvalidRequest, NotFound, Unsupported
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_backends.calls import Calls
from trackstore_backends.fsspec_store.connections import Connections
from trackstore_backends.fsspec_store.errors import ABSENT, translated
from trackstore_backends.fsspec_store.protocols import protocol_of
from trackstore_backends.fsspec_store.reading import FileChunks, Source, slices
from trackstore_backends.fsspec_store.tree import PRIVATE, Tree, check_names
from trackstore_backends.fsspec_store.urls import Place, parse
from trackstore_backends.fsspec_store.writing import Writer, prune, remove_hollow


class FsspecArtifactStore(ArtifactStore):
    """A file is written under a temporary name, which is then given up for its own.

    `docs/backends/fsspec.md` has what is known of which protocol.  This class is for those of
    which nothing is known: it claims nothing, and overwrites only if the URL asks for it.
    """

    guarantees: ClassVar = Guarantees(
        listing="weak", artifact_overwrite="refused", create_only="none"
    )

    def __init__(self, place: Place) -> None:
        self._place = place
        self._protocol = protocol_of(place.protocol)
        self._calls = Calls()
        self._trees = Connections(
            self._connect,
            lambda tree: self._protocol.close(tree.files),
            is_shared=self._protocol.is_shared,
        )

    @classmethod
    def from_url(cls, url: str) -> Self:
        place = parse(url)
        kind: type[FsspecArtifactStore] = cls
        if protocol_of(place.protocol).is_tested:
            kind = InMemory if place.protocol == "memory" else Renaming
        return cast("Self", kind(place))

    def close(self) -> None:
        self._calls.close()
        self._trees.close()

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        check_names(path)
        is_tested = self._protocol.is_tested
        if if_absent and not is_tested:
            raise Unsupported("this protocol of fsspec cannot create a file only if it is absent")
        overwrites = not if_absent if is_tested else self._place.overwrites
        with self._tree() as tree:
            size = Writer(tree, self._protocol, path, overwrites=overwrites).write(chunks)
        return ArtifactInfo(path, size)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        if start < 0 or (length is not None and length < 0):
            raise InvalidRequest("a range of an artifact begins or is less than 0")
        check_names(path)
        with self._calls:
            with translated("connect"):
                tree = self._trees.take()
            done = partial(self._trees.end, tree)
            try:
                with translated("read a file"):
                    return self._reader(tree, path, (start, length), done)
            except BaseException as error:
                done(error)
                raise

    def stat(self, path: str) -> ArtifactInfo:
        check_names(path)
        with self._tree() as tree, translated("look at a file"):
            info = tree.describe(path)
        if info is None:
            raise NotFound("there is no such artifact")
        return info

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        with self._tree() as tree, translated("list a folder"):
            entries = tree.all_files if deep else tree.one_level
            found = list(islice(entries(prefix, after or ""), limit + 1))
        page = found[:limit]
        return Page(page, page[-1].path if len(found) > limit else None)

    def delete(self, path: str) -> None:
        check_names(path)
        with self._tree() as tree:
            with translated("look at a file"):
                info = tree.describe(path)
            if info is not None:
                with translated("delete a file", "unknown"):
                    self._delete(tree, info)

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        """All remains are in one folder of the root, so that no other prefix has any."""
        if prefix:
            return 0
        swept = 0
        with self._tree() as tree, translated("sweep what uploads have left"):
            for name in _remains(tree):
                with suppress(FileNotFoundError):  # it was published meanwhile
                    if _age(tree.files.modified(name)) >= older_than_s:
                        tree.files.rm_file(name)
                        swept += 1
        return swept

    def _connect(self) -> Tree:
        files, root = self._place.open(self._protocol.options(self._place.options))
        self._protocol.opened(files)
        return Tree(files, root, self._protocol.resolve)

    @contextmanager
    def _tree(self) -> Iterator[Tree]:
        with ExitStack() as stack:
            stack.enter_context(self._calls)
            with translated("connect"):
                tree = stack.enter_context(self._trees.use())
            yield tree

    def _reader(
        self, tree: Tree, path: str, span: tuple[int, int | None], done: Any
    ) -> ArtifactReader:
        if tree.has_link(path) or tree.kind(path) != "file":
            raise NotFound("there is no such artifact")
        full = tree.full(path)
        if self._protocol.reads_whole:
            whole = tree.files.cat_file(full)
            done(None)
            return ArtifactReader(slices(whole, *_borders(span, len(whole))), len(whole))
        file = tree.files.open(full, "rb")
        size = self._protocol.size(file)
        start, end = _borders(span, size)
        file.seek(start)
        version = None if self._protocol.pins else partial(_version, tree, full)
        source = Source(file, self._protocol.size, version)
        return ArtifactReader(FileChunks(self._calls, source, (start, end), done), size)

    def _delete(self, tree: Tree, info: ArtifactInfo) -> None:
        for each in tree.all_files(info.path) if info.is_folder else [info]:
            with suppress(FileNotFoundError):  # another deletion was faster
                tree.files.rm_file(tree.full(each.path))
        if info.is_folder:
            remove_hollow(tree, self._protocol, info.path)
        prune(tree, self._protocol, info.path)


class Renaming(FsspecArtifactStore):
    """A protocol that was tested."""

    guarantees: ClassVar = Guarantees(durability="process-crash")


class InMemory(FsspecArtifactStore):
    guarantees: ClassVar = Guarantees(durability="none")
    ephemeral: ClassVar = True


def _borders(span: tuple[int, int | None], size: int) -> tuple[int, int]:
    start, length = span
    return min(start, size), size if length is None else min(start + length, size)


def _version(tree: Tree, full: str) -> str:
    tree.files.invalidate_cache()
    version: str = tree.files.ukey(full)
    return version


def _remains(tree: Tree) -> list[str]:
    tree.files.invalidate_cache()
    try:
        return [each["name"] for each in tree.files.ls(tree.full(PRIVATE), detail=True)]
    except ABSENT:
        return []


def _age(moment: datetime) -> float:
    """Return how many seconds ago it was; a file system that names no zone means UTC."""
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (datetime.now(UTC) - known).total_seconds()
