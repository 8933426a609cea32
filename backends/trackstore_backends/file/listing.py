"""What is below a folder, in the order of the paths' code points.

A level is read anew for each batch of names, and only the batch is kept, so memory stays bounded
however many files a folder holds.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from heapq import nsmallest
from operator import itemgetter
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from trackstore.errors import NotFound
from trackstore.model import ArtifactInfo
from trackstore_backends.file.errors import ABSENT, translated
from trackstore_backends.file.staging import discard
from trackstore_backends.file.tree import (
    PRIVATE,
    Names,
    is_private,
    names_of,
    open_folder,
    remove_empty,
)


def describe(root: Path, path: str) -> ArtifactInfo:
    names = names_of(path)
    with open_folder(root, names[:-1]) as folder:
        status = os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
    if S_ISREG(status.st_mode):
        return ArtifactInfo(path, status.st_size)
    if S_ISDIR(status.st_mode) and hollow(root, names) is None:
        return ArtifactInfo(path, is_folder=True)
    raise NotFound("there is no such artifact")


def hollow(root: Path, names: Names) -> list[Names] | None:
    """Return a folder and those below it, parents first, if no file is in any; else None.

    A folder is there if a file is: an empty one, left by a process that was killed or by a
    deletion, is neither listed nor in the way.
    """
    found: list[Names] = []
    pending: list[Names] = [names]
    while pending:
        inside = pending.pop()
        found.append(inside)
        try:
            with open_folder(root, inside) as folder, os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        return None
                    if entry.is_dir(follow_symlinks=False) and not is_private(entry.name):
                        pending.append((*inside, os.fsencode(entry.name)))
        except OSError as error:
            if error.errno not in ABSENT:
                raise
    return found


def remove_hollow(root: Path, names: Names) -> bool:
    """Remove a folder that holds no file; tell whether nothing of it is left.

    What it has of versions is of files whose deletion was cut short.
    """
    folders = hollow(root, names)
    if folders is None:
        return False
    for inside in folders:
        with suppress(NotFound), translated():
            discard(root, (*inside, PRIVATE.encode()))
    return all(remove_empty(root, inside) for inside in reversed(folders))


def one_level(root: Path, prefix: str, after: str, batch: int) -> Iterator[ArtifactInfo]:
    for info in _level(root, prefix, after, batch, folder_mark=""):
        if not info.is_folder or hollow(root, names_of(info.path)) is None:
            yield info


def all_files(root: Path, prefix: str, after: str, batch: int) -> Iterator[ArtifactInfo]:
    """Yield the files below a folder.

    A folder takes its turn as if its name ended in `/`, as the paths below it do: `a-b`, `a/x`,
    `a0`.
    """
    levels = [_level(root, prefix, after, batch, folder_mark="/")]
    while levels:
        info = next(levels[-1], None)
        if info is None:
            levels.pop()
        elif info.is_folder:
            levels.append(_level(root, info.path, after, batch, folder_mark="/"))
        else:
            yield info


def _level(
    root: Path, prefix: str, after: str, batch: int, folder_mark: str
) -> Iterator[ArtifactInfo]:
    """Yield what is in one folder and, by its key, comes after `after` or holds what does."""
    last: str | None = ""
    while last is not None:
        found, last = _read(root, prefix, _chooser(after, last), batch, folder_mark)
        yield from found


def _chooser(after: str, last: str) -> Callable[[str], bool]:
    def is_wanted(key: str) -> bool:
        return key > last and (key > after or (key[-1] == "/" and after.startswith(key)))

    return is_wanted


def _read(
    root: Path, prefix: str, is_wanted: Callable[[str], bool], batch: int, folder_mark: str
) -> tuple[list[ArtifactInfo], str | None]:
    """Return the first of the wanted entries, and the last one's key if there may be more."""
    names = names_of(prefix) if prefix else ()
    try:
        with open_folder(root, names) as folder:
            with os.scandir(folder) as entries:
                keyed = ((_key(prefix, entry, folder_mark), entry) for entry in entries)
                wanted = ((key, entry) for key, entry in keyed if key and is_wanted(key))
                chosen = nsmallest(batch, wanted, key=itemgetter(0))
            found = [info for key, entry in chosen if (info := _info(key, entry))]
    except OSError as error:
        if error.errno in ABSENT:
            return [], None
        raise
    return found, chosen[-1][0] if len(chosen) == batch else None


def _key(prefix: str, entry: os.DirEntry[str], folder_mark: str) -> str:
    """Return where an entry comes in the order, or "" if it is none of ours."""
    try:
        name = os.fsencode(entry.name).decode()
    except UnicodeDecodeError:
        return ""
    path = f"{prefix}/{name}" if prefix else name
    if is_private(name):
        return ""
    if entry.is_dir(follow_symlinks=False):
        return path + folder_mark
    return path if entry.is_file(follow_symlinks=False) else ""


def _info(key: str, entry: os.DirEntry[str]) -> ArtifactInfo | None:
    path = key.removesuffix("/")
    if entry.is_dir(follow_symlinks=False):
        return ArtifactInfo(path, is_folder=True)
    try:
        return ArtifactInfo(path, entry.stat(follow_symlinks=False).st_size)
    except FileNotFoundError:  # deleted since the folder was read
        return None
