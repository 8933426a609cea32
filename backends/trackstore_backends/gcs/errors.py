"""The one place where what Google's libraries raise becomes an error of the contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from trackstore.errors import (
    AlreadyExists,
    BackendError,
    InvalidRequest,
    NotFound,
    Outcome,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore_backends.objects import Changed, OutOfRange

_KEYS: Final = (
    "check GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`, or the "
    "machine's service account"
)
_BUCKET: Final = "correct the bucket in the store's URL, or make it"
_NEEDS: Final = {
    "GET": "storage.objects.get",
    "HEAD": "storage.objects.get",
    "PUT": "storage.objects.create, and storage.objects.delete to overwrite",
    "LIST": "storage.objects.list",
    "DELETE": "storage.objects.delete",
    "SIGN": "a service account's key",
}
_STATUSES: Final[dict[int, tuple[type[TrackstoreError], str]]] = {
    400: (InvalidRequest, "the service does not accept the request: check the URL's options"),
    401: (PermissionDenied, f"the credentials are refused or have expired: {_KEYS}"),
    405: (Unsupported, "the service cannot do that"),
    501: (Unsupported, "the service cannot do that"),
    408: (Unavailable, "the service waited too long: try again"),
    429: (Unavailable, "the service is asked too often: try again"),
}


@contextmanager
def translated(verb: str, lost: Outcome = "none") -> Iterator[None]:
    """Translate what a call raises; `lost` is the outcome where its reply may have been lost."""
    try:
        yield
    except (TrackstoreError, Changed, OutOfRange):
        raise
    except RetryError as error:
        raise _translation(error.cause or error, verb, lost) from error
    except Exception as error:
        raise _translation(error, verb, lost) from error


def _translation(error: BaseException, verb: str, lost: Outcome) -> Exception:
    status = _status(error)
    if status is not None:
        return _of_status(status, str(error), verb, lost)
    if isinstance(error, DataCorruption):
        return Unavailable(f"gs {verb}: bytes were changed on their way: try again", outcome=lost)
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return PermissionDenied(f"gs {verb}: there are no usable credentials: {_KEYS}")
    # What a cut or damaged reply makes of the library's code is a lost connection, too.
    return Unavailable(
        f"gs {verb}: the service did not answer, or not to the end: try again, "
        "and check the endpoint and the network if that stays so",
        outcome=lost,
    )


def _status(error: BaseException) -> int | None:
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return int(error.code) if isinstance(error, GoogleAPICallError) and error.code else None


def _of_status(status: int, text: str, verb: str, lost: Outcome) -> Exception:
    if status == 416 and verb == "GET":
        return OutOfRange()
    if status == 412:
        there = AlreadyExists("an artifact of this path is there", field="path")
        return Changed() if verb == "GET" else there
    if status == 404:
        return _missing(text, verb)
    kind, says = _STATUSES.get(status) or _other(status, verb)
    return kind(f"gs {verb}: {says}", outcome=lost if kind is Unavailable else "none")


def _other(status: int, verb: str) -> tuple[type[TrackstoreError], str]:
    if status == 403:
        return PermissionDenied, f"it is not allowed: {_NEEDS[verb]} is needed on the bucket"
    if status >= 500:
        return Unavailable, f"the service failed ({status}): try again"
    return BackendError, f"the service refused it ({status})"


def _missing(text: str, verb: str) -> TrackstoreError:
    """Tell a missing bucket from a missing object, of which the service speaks with one status."""
    if verb in {"PUT", "LIST"} or "bucket does not exist" in text:
        return BackendError(f"gs {verb}: there is no such bucket: {_BUCKET}")
    return NotFound("there is no such artifact")
