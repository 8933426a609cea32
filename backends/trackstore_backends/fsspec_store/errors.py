"""The one place where what a file system of fsspec raises becomes trackstore's."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from trackstore.errors import (
    BackendError,
    LimitExceeded,
    NotFound,
    Outcome,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)

ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""What a file system says if there is no file of a path."""

_LOST = frozenset({errno.ETIMEDOUT, errno.ECONNRESET, errno.EPIPE, errno.ESTALE, errno.EMFILE})
_KINDS: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], type[TrackstoreError], str]]
_KINDS = (
    (ABSENT, NotFound, "there is no such artifact"),
    (
        PermissionError,
        PermissionDenied,
        "the fsspec file system did not let its account {verb}: give it the right to",
    ),
    (
        NotImplementedError,
        Unsupported,
        "this fsspec file system cannot {verb}: it may be a read-only one",
    ),
)
_REFUSED = {"AuthenticationException", "BadHostKeyException", "NoCredentialsError"}
"""Exceptions of the packages below fsspec, by name: none of them is needed to know them."""


@contextmanager
def translated(verb: str, outcome: Outcome = "none") -> Iterator[None]:
    """Translate whatever is raised: a file system may raise errors of its own SDK.

    Its text is never repeated, since it may hold paths, hosts and keys; the cause has it.
    """
    try:
        yield
    except TrackstoreError:
        raise
    except Exception as error:
        raise _translation(verb, error, outcome) from error


def _translation(verb: str, error: Exception, outcome: Outcome) -> TrackstoreError:
    if _is_lost(error):
        return Unavailable(
            f"the fsspec file system was not reached, or the connection broke, to {verb}: "
            "check the URL's host and port, and try again",
            outcome=outcome,
        )
    if type(error).__name__ in _REFUSED:
        return PermissionDenied(
            "the fsspec file system took none of the credentials: check those in the store's URL, "
            "in FSSPEC_* variables and in fsspec's own configuration"
        )
    for raised, kind, message in _KINDS:
        if isinstance(error, raised):
            return kind(message.format(verb=verb))
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return LimitExceeded("the file system holds no name as long as this artifact's")
    return BackendError(
        f"the fsspec file system failed to {verb}: {type(error).__name__}", outcome=outcome
    )


def _is_lost(error: Exception) -> bool:
    """Tell a broken connection; the SSH library has an exception of its own for it."""
    if isinstance(error, ConnectionError | TimeoutError | EOFError):
        return True
    if isinstance(error, OSError):
        return error.errno in _LOST or "closed" in str(error).lower()
    return type(error).__name__ in {"SSHException", "NoValidConnectionsError"}
