"""A right artifact store on disk, as small as can be, and mutants of it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import ClassVar, Self

from trackstore.errors import AlreadyExists, BackendError, Conflict, InvalidState, NotFound
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactReader, ArtifactStore, Guarantees
from trackstore_conformance.mutants.wrapped import Broken, first_rows

PRIVATE = ".private-"


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendError("the disk failed", outcome="unknown") from error


class Folder(Broken, ArtifactStore):
    """Files below a root, each written beside its place and renamed into it."""

    guarantees: ClassVar = Guarantees(durability="power-loss")
    url = "folder://{folder}/artifacts"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_closed = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Path(url.partition("://")[2]))

    def close(self) -> None:
        self.is_closed = True

    def check(self) -> None:
        if self.is_closed:
            raise InvalidState("the folder is closed")

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        self.check()
        place = self.root / path
        if place.is_dir() and self.files(place):
            raise Conflict("a folder has this path")
        if if_absent and place.exists():
            raise AlreadyExists("it exists", field="path")
        with translated():
            self.make_folders(place.parent)
            rmtree(place) if place.is_dir() else None
            return ArtifactInfo(path, self.publish(place, chunks))

    def publish(self, place: Path, chunks: Iterable[bytes]) -> int:
        fresh = self.fresh()
        size = self.write(fresh, chunks)
        fresh.rename(place)
        self.sync(place.parent)
        return size

    def fresh(self) -> Path:
        return self.root / f"{PRIVATE}{token_hex(8)}"

    def write(self, file: Path, chunks: Iterable[bytes]) -> int:
        with file.open("xb", buffering=0) as opened:
            for chunk in chunks:
                opened.write(chunk)
            os.fsync(opened.fileno())
            return opened.tell()

    def make_folders(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        while folder != self.root.parent:
            folder = folder.parent
            self.sync(folder)

    def sync(self, folder: Path) -> None:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        self.check()
        place = self.root / path
        if not place.is_file():
            raise NotFound("no such file")
        data = place.read_bytes()
        end = len(data) if length is None else start + length
        return ArtifactReader(iter([data[start:end]]), len(data))

    def stat(self, path: str) -> ArtifactInfo:
        self.check()
        place = self.root / path
        if place.is_file():
            return ArtifactInfo(path, place.stat().st_size)
        if not self.files(place):
            raise NotFound("nothing is there")
        return ArtifactInfo(path, is_folder=True)

    def files(self, folder: Path) -> list[Path]:
        return [file for file in folder.rglob("*") if file.is_file() and PRIVATE not in str(file)]

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        self.check()
        folder = self.root / prefix
        rows = {}
        for file in self.files(folder):
            path = str(file.relative_to(self.root))
            level = str(folder.relative_to(self.root) / file.relative_to(folder).parts[0])
            if deep or level == path:
                rows[path] = ArtifactInfo(path, file.stat().st_size)
            else:
                rows[level] = ArtifactInfo(level, is_folder=True)
        wanted = [rows[path] for path in sorted(rows) if after is None or path > after]
        return first_rows(wanted, limit, lambda row: row.path)

    def delete(self, path: str) -> None:
        self.check()
        place = self.root / path
        if place.exists():
            with translated():
                gone = self.fresh()
                place.rename(gone)
                self.sync(place.parent)
                rmtree(gone) if gone.is_dir() else gone.unlink()


class FolderWrittenInPlace(Folder):
    """Writes where the file will be."""

    killed_by = "A-PUT-06"

    def publish(self, place: Path, chunks: Iterable[bytes]) -> int:
        place.unlink(missing_ok=True)
        return self.write(place, chunks)


class TemporaryFileListed(Folder):
    """Gives a file on its way a name that is listed."""

    killed_by = "A-PUT-06"

    def fresh(self) -> Path:
        return self.root / f"upload-{token_hex(4)}.part"


class OldFileRemovedFirst(Folder):
    """Removes the old file just before the new one takes its place."""

    killed_by = "A-PUT-06"

    def write(self, file: Path, chunks: Iterable[bytes]) -> int:
        size = super().write(file, chunks)
        self.place.unlink(missing_ok=True)
        return size

    def publish(self, place: Path, chunks: Iterable[bytes]) -> int:
        self.place = place
        return super().publish(place, chunks)


class DeletedLater(Folder):
    """Remembers what is to be deleted, and does it when it is closed."""

    killed_by = "A-DUR-01"

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.going: list[str] = []

    def delete(self, path: str) -> None:
        self.flush()
        self.going.append(path)

    def flush(self) -> None:
        while self.going:
            super().delete(self.going.pop())

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        self.flush()
        return super().put(path, chunks, if_absent=if_absent)

    def close(self) -> None:
        self.flush()
        super().close()


class OneTemporaryName(Folder):
    """Gives a file on its way the same name each time, and stops if that is taken."""

    killed_by = "A-DUR-03"

    def fresh(self) -> Path:
        return self.root / f"{PRIVATE}file"


class FileNotSynced(Folder):
    """Renames a file whose bytes may not be on the disk yet."""

    killed_by = "A-DUR-02"

    def write(self, file: Path, chunks: Iterable[bytes]) -> int:
        return file.write_bytes(b"".join(chunks))


class NameNotSynced(Folder):
    """Syncs a file, and not the folder that names it."""

    killed_by = "A-DUR-02"

    def sync(self, folder: Path) -> None: ...


class WhatFitsIsPublished(Folder):
    """Ends a file where the disk was full."""

    killed_by = "A-DUR-04"

    def write(self, file: Path, chunks: Iterable[bytes]) -> int:
        with file.open("xb", buffering=0) as opened:
            with suppress(OSError):
                for chunk in chunks:
                    opened.write(chunk)
            os.fsync(opened.fileno())
            return opened.tell()


class FolderRawErrors(Folder):
    """Lets the errors of the file system pass to its callers."""

    killed_by = "A-DUR-04"

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        try:
            return super().put(path, chunks, if_absent=if_absent)
        except BackendError as error:
            raise error.__cause__ or error from error


FOLDERS: tuple[type[Folder], ...] = (
    FolderWrittenInPlace,
    TemporaryFileListed,
    OldFileRemovedFirst,
    DeletedLater,
    OneTemporaryName,
    FileNotSynced,
    NameNotSynced,
    WhatFitsIsPublished,
    FolderRawErrors,
)
