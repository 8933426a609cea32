"""Artifacts that live in the process; the URLs are those of `memory.py`."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from time import time_ns
from typing import ClassVar, Self

from msgspec import Struct, field

from trackstore.errors import AlreadyExists, Conflict, InvalidRequest, InvalidState, NotFound
from trackstore.model import ArtifactInfo, ArtifactVersion, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_backends.memory import shared_name


class _Files(Struct):
    lock: Lock = field(default_factory=Lock)
    content: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, list[tuple[ArtifactVersion, bytes]]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def publish(self, path: str, whole: bytes) -> None:
        version = ArtifactVersion(str(next(self.numbers)), len(whole), time_ns() // 1_000_000)
        kept = [(version, whole), *self.versions.get(path, [])]
        self.versions[path] = kept[: _KEPT + 1]
        self.content[path] = whole

    def forget(self, path: str) -> None:
        del self.content[path], self.versions[path]


_shared: dict[str, _Files] = {}
_sharing = Lock()
_CHUNK = 256 * 1024
_KEPT = 10
"""Old versions of each file."""


class MemoryArtifactStore(ArtifactStore):
    guarantees: ClassVar = Guarantees(durability="none")
    ephemeral: ClassVar = True

    def __init__(self, files: _Files) -> None:
        self._files = files
        self._closed = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        name = shared_name(url)
        if name is None:
            return cls(_Files())
        with _sharing:
            return cls(_shared.setdefault(name, _Files()))

    def close(self) -> None:
        with self._files.lock:
            self._closed = True

    @contextmanager
    def _open(self) -> Iterator[dict[str, bytes]]:
        with self._files.lock:
            if self._closed:
                raise InvalidState("this store is closed")
            yield self._files.content

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        with self._open():
            pass
        whole = b"".join(chunks)
        with self._open() as content:
            if if_absent and path in content:
                raise AlreadyExists("an artifact of this path is there", field="path")
            if any(parent in content for parent in _parents(path)):
                raise Conflict("a folder of this artifact's path is a file")
            if _is_folder(content, path):
                raise Conflict("a folder has this artifact's path")
            self._files.publish(path, whole)
        return ArtifactInfo(path, len(whole))

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        with self._open() as content:
            whole = content.get(path)
        return _reader(whole, start, length)

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        with self._open():
            known = [version for version, _ in self._files.versions.get(path, ())]
        rest = [each for each in known if after is None or int(each.id) < int(after)]
        return Page(rest[:limit], rest[limit - 1].id if len(rest) > limit else None)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        with self._open():
            known = self._files.versions.get(path, ())
        found = next((whole for each, whole in known if each.id == version), None)
        return _reader(found, start, length)

    def stat(self, path: str) -> ArtifactInfo:
        with self._open() as content:
            if path in content:
                return ArtifactInfo(path, len(content[path]))
            if _is_folder(content, path):
                return ArtifactInfo(path, is_folder=True)
        raise NotFound("there is no such artifact")

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        inside = f"{prefix}/" if prefix else ""
        found: dict[str, ArtifactInfo] = {}
        with self._open() as content:
            for path, whole in content.items():
                if path.startswith(inside):
                    name, slash, _ = path[len(inside) :].partition("/")
                    if slash and not deep:
                        found[inside + name] = ArtifactInfo(inside + name, is_folder=True)
                    else:
                        found[path] = ArtifactInfo(path, len(whole))
        paths = sorted(found)
        start = bisect_right(paths, after or "")
        page = [found[path] for path in paths[start : start + limit]]
        return Page(page, page[-1].path if start + limit < len(paths) else None)

    def delete(self, path: str) -> None:
        with self._open() as content:
            for known in [known for known in content if f"{known}/".startswith(f"{path}/")]:
                self._files.forget(known)


def _reader(whole: bytes | None, start: int, length: int | None) -> ArtifactReader:
    if start < 0 or (length is not None and length < 0):
        raise InvalidRequest("a range of an artifact begins or is less than 0")
    if whole is None:
        raise NotFound("there is no such artifact, or no such version of it")
    end = len(whole) if length is None else min(start + length, len(whole))
    chunks = (whole[at : min(at + _CHUNK, end)] for at in range(start, end, _CHUNK))
    return ArtifactReader(chunks, len(whole))


def _parents(path: str) -> Iterator[str]:
    return (path[:at] for at, character in enumerate(path) if character == "/")


def _is_folder(content: dict[str, bytes], path: str) -> bool:
    return any(known.startswith(f"{path}/") for known in content)
