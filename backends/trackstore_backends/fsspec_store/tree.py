"""What is below a folder of a file system, by the paths' code points, without what is private.

A folder is there if a file is below it.  Links are not followed: they are neither files nor
folders.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any

from trackstore.errors import InvalidRequest
from trackstore.model import ArtifactInfo
from trackstore_backends.fsspec_store.errors import ABSENT

PRIVATE = ".trackstore"
"""The store's own folder in its root, a name that is refused and never listed at any level."""
_TRIES = 10


def check_names(path: str) -> str:
    """Return a path; refuse what no caller that checked it can send."""
    for segment in path.split("/"):
        if segment in ("", ".", "..") or "\0" in segment:
            raise InvalidRequest("an artifact path has an empty, '.' or '..' segment or a NUL")
        if segment.casefold() == PRIVATE:
            raise InvalidRequest(f"the fsspec store keeps the name {PRIVATE} for itself")
    return path


class Tree:
    """The folders of one file system below a root; paths are relative to it."""

    def __init__(self, files: Any, root: str, resolve: Callable[[Any, str], str]) -> None:
        self.files = files
        self.root = root
        self.resolve = resolve

    @cached_property
    def _resolved(self) -> str:
        return self.resolve(self.files, self.root or self.files.root_marker).rstrip("/")

    def has_link(self, path: str) -> bool:
        """Tell if a step of a path, below the root, is a symbolic link."""
        while path:
            with suppress(FileNotFoundError):
                return self.resolve(self.files, self.full(path)) != f"{self._resolved}/{path}"
            path = path.rpartition("/")[0]
        return False

    def _ask(self, call: Callable[..., Any], path: str, **options: Any) -> Any:
        """Ask past the cache; again if a file went meanwhile, which in memory is a KeyError."""
        for _ in range(_TRIES):
            self.files.invalidate_cache()
            with suppress(KeyError):
                return call(self.full(path), **options)
        return call(self.full(path), **options)

    def kind(self, path: str) -> str | None:
        """Return "file", "directory" or what else is there; None if nothing is."""
        try:
            found: str = self._ask(self.files.info, path)["type"]
        except ABSENT:
            return None
        return found

    def full(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root or self.files.root_marker

    def describe(self, path: str) -> ArtifactInfo | None:
        """Return what a path is, or None; a folder without a file is nothing."""
        if self.has_link(path):
            return None
        try:
            info = self._ask(self.files.info, path)
        except ABSENT:
            return None
        if info["type"] == "file":
            return ArtifactInfo(path, info["size"])
        if info["type"] == "directory" and not self.is_hollow(path):
            return ArtifactInfo(path, is_folder=True)
        return None

    def entries(self, folder: str) -> list[ArtifactInfo]:
        """Return the files and folders of one level, in no order, hollow folders too."""
        if self.has_link(folder):
            return []
        try:
            found = self._ask(self.files.ls, folder, detail=True)
        except ABSENT:
            return []
        inside = f"{self.root}/{folder}/" if folder else f"{self.root}/"
        infos = (self._info(folder, inside, each) for each in found)
        return [info for info in infos if info is not None]

    def _info(self, folder: str, inside: str, found: dict[str, Any]) -> ArtifactInfo | None:
        full = found["name"].rstrip("/")
        name = full.removeprefix(inside)
        kind = found["type"]
        if full == name or "/" in name or name.casefold() == PRIVATE or found.get("islink"):
            return None
        path = f"{folder}/{name}" if folder else name
        if kind == "directory":
            return ArtifactInfo(path, is_folder=True)
        return ArtifactInfo(path, found["size"]) if kind == "file" else None

    def is_hollow(self, folder: str) -> bool:
        pending = [folder]
        while pending:
            found = self.entries(pending.pop())
            if not all(info.is_folder for info in found):
                return False
            pending += [info.path for info in found]
        return True

    def one_level(self, folder: str, after: str) -> Iterator[ArtifactInfo]:
        for info in sorted(self.entries(folder), key=lambda info: info.path):
            if info.path > after and not (info.is_folder and self.is_hollow(info.path)):
                yield info

    def all_files(self, folder: str, after: str = "") -> Iterator[ArtifactInfo]:
        """Yield files; a folder takes its turn as the paths below it do: `a-b`, `a/x`, `a0`."""
        levels = [self._level(folder, after)]
        while levels:
            info = next(levels[-1], None)
            if info is None:
                levels.pop()
            elif info.is_folder:
                levels.append(self._level(info.path, after))
            else:
                yield info

    def _level(self, folder: str, after: str) -> Iterator[ArtifactInfo]:
        for info in sorted(self.entries(folder), key=_key):
            key = _key(info)
            if key > after or (info.is_folder and after.startswith(key)):
                yield info

    def folders(self, folder: str) -> Iterator[str]:
        """Yield a folder and those below it, the deepest first."""
        for info in self.entries(folder):
            if info.is_folder:
                yield from self.folders(info.path)
        yield folder


def _key(info: ArtifactInfo) -> str:
    return f"{info.path}/" if info.is_folder else info.path
