"""Errors as HTTP statuses and MLflow's error codes.

Clients retry 408, 429 and 5xx for minutes, so no mistake of a caller gets one of those.
"""

import msgspec

from trackstore.errors import (
    AlreadyExists,
    BackendError,
    Conflict,
    InvalidRequest,
    InvalidState,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)

STATUSES: dict[type[TrackstoreError], tuple[int, str]] = {
    InvalidRequest: (400, "INVALID_PARAMETER_VALUE"),
    LimitExceeded: (400, "INVALID_PARAMETER_VALUE"),
    Conflict: (400, "INVALID_PARAMETER_VALUE"),
    InvalidState: (400, "INVALID_PARAMETER_VALUE"),
    AlreadyExists: (400, "RESOURCE_ALREADY_EXISTS"),
    NotFound: (404, "RESOURCE_DOES_NOT_EXIST"),
    PermissionDenied: (403, "PERMISSION_DENIED"),
    Unsupported: (501, "NOT_IMPLEMENTED"),
    Unavailable: (503, "TEMPORARILY_UNAVAILABLE"),
    BackendError: (500, "INTERNAL_ERROR"),
}
"""The status and the error code of each error; of a subclass, those of its nearest parent."""

INTERNAL_ERROR = (500, "INTERNAL_ERROR")


def status_of(error: TrackstoreError) -> tuple[int, str]:
    known = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return next(known, INTERNAL_ERROR)


def failure(code: str, message: str) -> bytes:
    """Return the body that tells of an error."""
    return msgspec.json.encode({"error_code": code, "message": message})
