"""The one place where errors of the operating system become trackstore's."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from trackstore.errors import (
    BackendError,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    Outcome,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)

ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK})
"""What opening a path says if a part of it is missing, a file, or a symbolic link."""

_KINDS: dict[int, type[TrackstoreError]] = {
    **dict.fromkeys(ABSENT, NotFound),
    errno.EACCES: PermissionDenied,
    errno.EPERM: PermissionDenied,
    errno.EROFS: PermissionDenied,
    errno.ENAMETOOLONG: LimitExceeded,
    errno.EILSEQ: InvalidRequest,
    errno.EINVAL: InvalidRequest,
    errno.EXDEV: Unsupported,
    errno.ENOTSUP: Unsupported,
    errno.EMFILE: Unavailable,
    errno.ENFILE: Unavailable,
    errno.ESTALE: Unavailable,
    errno.ETIMEDOUT: Unavailable,
}
_MESSAGES = {
    **dict.fromkeys(ABSENT, "there is no such artifact"),
    errno.ENAMETOOLONG: "the file system holds no name as long as this artifact's",
    errno.EILSEQ: "the file system cannot hold this artifact's name",
    errno.EINVAL: "the file system cannot hold this artifact's name",
    errno.EXDEV: "a folder of the file store is on another file system than its root",
}


@contextmanager
def translated(outcome: Outcome = "none") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        kind = _KINDS.get(code, BackendError)
        message = _MESSAGES.get(code) or f"the file store failed: {os.strerror(code)}"
        raise kind(message, outcome=outcome) from error
