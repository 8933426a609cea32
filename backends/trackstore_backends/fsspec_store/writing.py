"""How a file comes to be seen: under a temporary name first, then under its own in one step."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from secrets import token_hex
from threading import Lock

from trackstore.errors import AlreadyExists, Conflict, Unavailable
from trackstore_backends.fsspec_store.errors import ABSENT, translated
from trackstore_backends.fsspec_store.protocols import Protocol
from trackstore_backends.fsspec_store.tree import PRIVATE, Tree

_MOST_ATTEMPTS = 100
"""How often a put makes its folder again while others delete what is in it."""
_LOOK_AGAIN = (*ABSENT, FileExistsError)
"""What others did between a look at the path and the publishing of the file."""
_UNTESTED = (
    ", and it was never tested if this protocol of fsspec replaces files safely: with "
    "?overwrite=unsafe in the store's URL it is tried"
)
_turns = Lock()
"""For file systems in this process that do not themselves keep a file and a folder apart."""


class Writer:
    """Writes one file."""

    def __init__(self, tree: Tree, protocol: Protocol, path: str, *, overwrites: bool) -> None:
        """Without `overwrites`, a file that is there stays, and `AlreadyExists` is raised."""
        self._tree = tree
        self._files = tree.files
        self._protocol = protocol
        self._path = path
        self._overwrites = overwrites
        self._private = tree.full(PRIVATE)
        self._temporary = f"{self._private}/in-{token_hex(16)}"

    def write(self, chunks: Iterable[bytes]) -> int:
        """Write all and return how many bytes; what `chunks` raises passes through."""
        try:
            size = self._write(chunks)
            self._publish()
        except BaseException:
            with suppress(Exception):  # what is left is never seen, and can be swept
                self._files.rm_file(self._temporary)
            raise
        return size

    def _write(self, chunks: Iterable[bytes]) -> int:
        size = 0
        with translated("write a file"):
            self._make_folder(self._private)
            file = self._protocol.open_new(self._files, self._temporary)
        try:
            for chunk in chunks:
                with translated("write a file"):
                    file.write(chunk)
                size += memoryview(chunk).nbytes
        except BaseException:
            with suppress(Exception):  # the first failure is the one to tell
                file.close()
            raise
        with translated("write a file"):
            file.close()
        return size

    def _make_folder(self, folder: str) -> None:
        if self._protocol.has_folders:
            self._files.makedirs(folder, exist_ok=True)

    def _publish(self) -> None:
        for _ in range(_MOST_ATTEMPTS):
            with nullcontext() if self._protocol.has_folders else _turns:
                with translated("look at a folder"):
                    self._make_way()
                if self._is_moved():
                    return
        raise Unavailable("others keep changing the folder of this artifact; try again")

    def _is_moved(self) -> bool:
        path = self._tree.full(self._path)
        with translated("publish a file", "unknown"):
            try:
                self._make_folder(path.rpartition("/")[0])
                self._give_name(path)
            except _LOOK_AGAIN:
                return False
            except OSError as error:
                if error.errno is None:  # SFTP has one code for all of these
                    return False
                raise
        return True

    def _give_name(self, path: str) -> None:
        create = self._protocol.create
        give = self._protocol.move if self._overwrites or create is None else create
        give(self._files, self._temporary, path)

    def _make_way(self) -> None:
        """Raise if what is at the path, or above it, is not what this put may replace."""
        if self._tree.has_link(self._path):
            raise Conflict("a folder of this artifact's path, or the path itself, is a link")
        if any(self._tree.kind(parent) == "file" for parent in _parents(self._path)):
            raise Conflict("a folder of this artifact's path is a file")
        kind = self._tree.kind(self._path)
        if kind == "directory":
            self._remove_folder()
        elif kind is not None and not self._overwrites:
            advice = "" if self._protocol.is_tested else _UNTESTED
            raise AlreadyExists(f"an artifact of this path is there{advice}", field="path")
        elif kind is not None and not self._protocol.is_tested:
            self._files.rm_file(self._tree.full(self._path))  # as the URL asks for

    def _remove_folder(self) -> None:
        if not self._tree.is_hollow(self._path):
            raise Conflict("a folder has this artifact's path")
        remove_hollow(self._tree, self._protocol, self._path)


def _parents(path: str) -> Iterator[str]:
    return (path[:at] for at, character in enumerate(path) if character == "/")


def remove_hollow(tree: Tree, protocol: Protocol, path: str) -> None:
    """Remove the folders below a path that hold no file, if the protocol has any."""
    if protocol.is_tested and protocol.has_folders:
        for folder in tree.folders(path):
            with suppress(OSError):  # a file has come, or another was faster: nothing is lost
                tree.files.rmdir(tree.full(folder))


def prune(tree: Tree, protocol: Protocol, path: str) -> None:
    """Remove the folders that a deletion left empty, up to the root."""
    if protocol.is_tested and protocol.has_folders:
        with suppress(OSError):  # as soon as one is not empty
            while path := path.rpartition("/")[0]:
                tree.files.rmdir(tree.full(path))
