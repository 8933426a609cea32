"""What is known of the protocols that the suite was run on; nothing is presumed of others."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

TIMEOUT = 60
"""Seconds that a server may take for anything, unless the URL's `timeout` says otherwise."""
_WAITS = ("timeout", "banner_timeout", "auth_timeout", "channel_timeout")


def _end_of(file: Any) -> int:
    end: int = file.seek(0, 2) or file.tell()
    return end


def _as_given(options: Mapping[str, Any]) -> Mapping[str, Any]:
    return options


def _nothing(_files: Any) -> None:
    """Where there is no connection."""


class Protocol(Struct, frozen=True):
    """How one protocol does what fsspec gives no promise on.

    `Any` is a file system: fsspec has no types.
    """

    move: Callable[[Any, str, str], None]
    """Give a file its name in one step, in the place of another one; never into a folder."""
    create: Callable[[Any, str, str], None] | None
    """Do so, or raise `FileExistsError` if there is a file of that name."""
    resolve: Callable[[Any, str], str]
    """Return the path to which the links in a path lead."""
    close: Callable[[Any], None]
    open_new: Callable[[Any, str], Any]
    """Open a file that is to be written."""
    size: Callable[[Any], int] = _end_of
    """Return the bytes of a file that is open to be read."""
    options: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _as_given
    """Return the arguments of a file system, of the options in the store's URL."""
    opened: Callable[[Any], None] = _nothing
    """Get a file system ready that was just opened."""
    is_shared: bool = True
    """Many threads may use one file system at once."""
    has_folders: bool = True
    """Folders are made before files are, stay when those are gone, and keep files out."""
    pins: bool = True
    """A file that is open stays the version that it was."""
    reads_whole: bool = False
    """Files are in memory anyway, and one that is open is shared."""

    @property
    def is_tested(self) -> bool:
        return self.create is not None


def _rename(_files: Any, temporary: str, path: str) -> None:
    Path(temporary).replace(path)  # `mv` would move a file into a folder of that name


def _link(_files: Any, temporary: str, path: str) -> None:
    Path(path).hardlink_to(temporary)
    Path(temporary).unlink()


def _copy(files: Any, temporary: str, path: str) -> None:
    files.cp_file(temporary, path)
    files.rm_file(temporary)


def _copy_new(files: Any, temporary: str, path: str) -> None:
    """It is for those who hold `writing._turns`."""
    if files.isfile(path):
        raise FileExistsError
    _copy(files, temporary, path)


def _move(files: Any, temporary: str, path: str) -> None:
    files.mv(temporary, path)


def _move_new(files: Any, temporary: str, path: str) -> None:
    try:
        files.ftp.rename(temporary, path)  # OpenSSH makes a link, which fails if the name is taken
    except OSError as error:
        if error.errno is None and files.exists(path):
            raise FileExistsError from error
        raise


def _open_new(files: Any, path: str) -> Any:
    return files.open(path, "wb")


def _open_remotely(files: Any, path: str) -> Any:
    file = files.open(path, "wb")
    file.set_pipelined()  # otherwise each 32 KiB wait for their reply
    return file


def _resolve(_files: Any, path: str) -> str:
    return os.path.realpath(path)


def _resolve_remotely(files: Any, path: str) -> str:
    resolved: str = files.ftp.normalize(path)
    return resolved


def _as_it_is(_files: Any, path: str) -> str:
    return path


def _patient(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Bound every wait of the SSH library by one option: by itself it may wait for ever."""
    seconds = options.get("timeout", TIMEOUT)
    return {**dict.fromkeys(_WAITS, seconds), **options}


def _bound_replies(files: Any) -> None:
    files.ftp.get_channel().settimeout(files.ssh_kwargs["timeout"])


def _disconnect(files: Any) -> None:
    with suppress(EOFError, OSError):  # one that broke has nothing to say goodbye to
        files.ftp.close()
    files.client.close()


def _size_told(file: Any) -> int:
    size: int = file.stat().st_size  # `seek` takes a broken connection for an empty file
    return size


_LOCAL = Protocol(_rename, _link, _resolve, _nothing, _open_new)
_SFTP = Protocol(
    _move,
    _move_new,
    _resolve_remotely,
    _disconnect,
    _open_remotely,
    _size_told,
    _patient,
    _bound_replies,
    is_shared=False,
)
_MEMORY = Protocol(
    _copy, _copy_new, _as_it_is, _nothing, _open_new, has_folders=False, reads_whole=True
)
_OTHER = Protocol(_move, None, _as_it_is, _nothing, _open_new, pins=False)
_TESTED: Mapping[str, Protocol] = {
    "file": _LOCAL,
    "local": _LOCAL,
    "memory": _MEMORY,
    "sftp": _SFTP,
    "ssh": _SFTP,
}


def protocol_of(name: str) -> Protocol:
    return _TESTED.get(name, _OTHER)
