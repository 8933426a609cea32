"""The one place where what Azure's libraries raise becomes an error of the contract."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from trackstore.errors import (
    AlreadyExists,
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
from trackstore_backends.objects import Changed, OutOfRange

_KEYS: Final = (
    "check AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCESS_KEY or AZURE_STORAGE_SAS_TOKEN, "
    "or what azure-identity finds"
)
_CONTAINER: Final = "correct the container in the store's URL, or make it"
_OTHERS: Final = "others write this artifact at the same time, and took its blocks: try again"
_CODES: Final[dict[str, tuple[type[TrackstoreError], str]]] = {
    "BlobNotFound": (NotFound, "there is no such artifact"),
    "ResourceNotFound": (NotFound, "there is no such artifact"),
    "ContainerNotFound": (BackendError, f"there is no such container: {_CONTAINER}"),
    "ContainerBeingDeleted": (Unavailable, "the container is being deleted: make it anew later"),
    "ContainerDisabled": (BackendError, "the container was disabled"),
    "InvalidResourceName": (BackendError, f"the service refuses a name: {_CONTAINER}"),
    "AuthenticationFailed": (
        PermissionDenied,
        f"the key or signature is wrong or has expired: {_KEYS}",
    ),
    "AuthorizationFailure": (
        PermissionDenied,
        f"the account does not let this client in: {_KEYS}, and its network rules",
    ),
    "InvalidAuthenticationInfo": (
        PermissionDenied,
        f"the credentials are not understood or have expired: {_KEYS}",
    ),
    "NoAuthenticationInformation": (PermissionDenied, f"there are no credentials: {_KEYS}"),
    "PublicAccessNotPermitted": (PermissionDenied, f"nobody may without credentials: {_KEYS}"),
    "AccountIsDisabled": (PermissionDenied, "the storage account was disabled"),
    "InvalidBlockList": (Unavailable, _OTHERS),
    "InvalidBlobOrBlock": (Unavailable, _OTHERS),
    "InvalidBlobType": (BackendError, "what is there is no block blob"),
    "BlobImmutableDueToPolicy": (PermissionDenied, "a policy forbids to change this artifact"),
    "BlobArchived": (BackendError, "the artifact was archived: bring it back to the Hot tier"),
    "RequestBodyTooLarge": (LimitExceeded, "the service takes no file as large as this"),
    "BlockCountExceedsLimit": (LimitExceeded, "the service takes no file of so many blocks"),
    "Md5Mismatch": (Unavailable, "bytes were changed on their way: try again"),
    "InvalidMd5": (Unavailable, "bytes were changed on their way: try again"),
    "ServerBusy": (Unavailable, "the service is asked too often: try again"),
    "OperationTimedOut": (Unavailable, "the service waited too long: try again"),
}
_NEEDS: Final = {
    "GET": "Read",
    "HEAD": "Read",
    "PUT": "Write and Create",
    "LIST": "List",
    "DELETE": "Delete",
    "SIGN": "an account key",
}


@contextmanager
def translated(verb: str, lost: Outcome = "none") -> Iterator[None]:
    """Translate what a call raises; `lost` is the outcome where its reply may have been lost."""
    try:
        yield
    except (TrackstoreError, Changed, OutOfRange):
        raise
    except HttpResponseError as error:
        raise _of_reply(error, verb, lost) from error
    except Exception as error:
        # What a cut or damaged reply makes of the library's code is a lost connection, too.
        raise Unavailable(
            f"az {verb}: the service did not answer, or not to the end: try again, "
            "and check the account, the endpoint and the network if that stays so",
            outcome=lost,
        ) from error


def _of_reply(error: HttpResponseError, verb: str, lost: Outcome) -> Exception:
    status, code = error.status_code or 0, code_of(error)
    if status == 412:
        return Changed() if verb == "GET" else _there()
    if status == 416 and verb == "GET":
        return OutOfRange()
    if code in {"BlobAlreadyExists", "ResourceAlreadyExists"}:
        return _there()
    kind, says = _CODES.get(code) or _other(error, status, code, verb)
    is_lost = kind is Unavailable and (status >= 500 or not status)
    return kind(f"az {verb}: {says}", outcome=lost if is_lost else "none")


def _there() -> AlreadyExists:
    return AlreadyExists("an artifact of this path is there", field="path")


def _other(
    error: HttpResponseError, status: int, code: str, verb: str
) -> tuple[type[TrackstoreError], str]:
    if status == 404:
        return NotFound, "there is no such artifact"
    if status == 401 or isinstance(error, ClientAuthenticationError):
        return PermissionDenied, f"the credentials are refused ({code}): {_KEYS}"
    if status == 403:
        needs = _NEEDS[verb]
        return PermissionDenied, f"it is not allowed ({code}): {needs} is needed on the container"
    if status in {405, 501}:
        return Unsupported, "the service cannot do that"
    if status >= 500 or status in {0, 408, 429}:
        return Unavailable, f"the service failed ({status} {code}): try again"
    return (InvalidRequest if status == 400 else BackendError), f"the service refused it ({code})"


def code_of(error: HttpResponseError) -> str:
    """Return the service's code, which is hostile text, as a word."""
    code = getattr(error, "error_code", None) or ""
    return re.sub(r"[^A-Za-z0-9.]", "", str(getattr(code, "value", code)))[:60]
