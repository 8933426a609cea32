"""Local files that are uploaded from and downloaded to."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG

from trackstore import paths
from trackstore.errors import InvalidRequest
from trackstore.limits import shown

_CHUNK = 1024 * 1024
AnyPath = str | os.PathLike[str]


def check_tree(folder: AnyPath, target: str) -> tuple[int, int]:
    """Return the bytes and the number of all files below a folder.

    Raises `InvalidRequest` for a link, a device or the like, and for a name that cannot be an
    artifact's below `target`.
    """
    size = files = 0
    for name in files_below(folder):
        paths.check_path(paths.join(target, name))
        status = os.lstat(os.path.join(folder, name))  # noqa: PTH118
        if not S_ISREG(status.st_mode):
            raise InvalidRequest(
                f"{shown(name)} is a link or no file: upload what it leads to by itself"
            )
        size, files = size + status.st_size, files + 1
    return size, files


def files_below(folder: AnyPath) -> Iterator[str]:
    """Yield the `/`-separated names of all files and links below a folder."""
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118
        for name in sorted(files + links):
            yield Path(os.path.relpath(os.path.join(place, name), folder)).as_posix()  # noqa: PTH118


def _refuse(error: OSError) -> None:
    raise error


def read(place: AnyPath, name: str = "") -> Iterator[bytes]:
    """Yield the bytes of a file; with `name`, of one below a folder that must not be a link."""
    flags = os.O_RDONLY | (os.O_NOFOLLOW if name else 0)
    path = Path(place, name) if name else Path(place)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123
        while chunk := file.read(_CHUNK):
            yield chunk


def check_free(destination: AnyPath) -> None:
    """Raise `InvalidRequest` unless there is nothing, or an empty folder."""
    place = Path(destination)
    if place.is_dir() and not any(place.iterdir()):
        return
    if os.path.lexists(destination):
        raise InvalidRequest("the place to download a folder to is there and not an empty folder")


@contextmanager
def appearing(destination: AnyPath) -> Iterator[Path]:
    """Give a name beside `destination`; what the body makes there is renamed if it succeeds."""
    place = Path(destination)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{token_hex(8)}.part")
    try:
        yield part
        part.replace(place)
    except BaseException:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)
        raise


def write(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a new file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())
