"""The one place where errors of the operating system become trackstore's."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from trackstore.errors import (
    BackendError,
    Outcome,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)

_NOT_ALLOWED = PermissionDenied, "this account may not read or write the store's files"
_FULL = BackendError, "the disk is full"
_NO_FOLDER = BackendError, "the store's folder, or a folder above it, is a file or is missing"
_NO_LOCKS = Unsupported, "this file system has no locks that processes share"
_BUSY = Unavailable, "too many files are open"

_MEANINGS: dict[int, tuple[type[TrackstoreError], str]] = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _NOT_ALLOWED),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.ELOOP), _NO_FOLDER),
    **dict.fromkeys((errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP), _NO_LOCKS),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _BUSY),
    errno.ESTALE: (Unavailable, "the file server has lost the store's files for a moment"),
    errno.ETIMEDOUT: (Unavailable, "the file server did not answer in time"),
    errno.EISDIR: (BackendError, "one of the store's files is a folder"),
    errno.EIO: (BackendError, "the disk failed"),
}


@contextmanager
def translated(outcome: Outcome = "none") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        kind, message = _MEANINGS.get(code, (BackendError, f"a file failed: {os.strerror(code)}"))
        raise kind(message, outcome=outcome) from error
