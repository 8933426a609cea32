"""Everything trackstore raises on purpose.

::

    TrackstoreError
    ├── InvalidRequest      the caller's values break a rule              (also ValueError)
    ├── LimitExceeded       a value is longer or larger than is kept      (also ValueError)
    ├── NotFound            no such experiment, run, tag or artifact      (also LookupError)
    ├── AlreadyExists       the id or name is taken; `field` says which
    ├── Conflict            the write contradicts what is stored
    ├── InvalidState        it was deleted, or the store was closed
    ├── PermissionDenied    the caller, or the store's own account, may not do that
    ├── Unsupported         this store or this server cannot do that
    └── BackendError        the service behind the store failed
        └── Unavailable     it could not be reached in time; asking again may help

Every error carries `outcome`: `"none"` when nothing was written, `"unknown"` when the reply to
a commit was lost, so that the write is there whole or not at all.  A driver's own exception is
kept as `__cause__`; no message holds SQL, a password or a path of the machine.
"""

from typing import Literal

Outcome = Literal["none", "unknown"]


class TrackstoreError(Exception):
    """Base class of all errors below."""

    def __init__(self, message: str, *, outcome: Outcome = "none") -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome


class InvalidRequest(TrackstoreError, ValueError):
    """The caller's values break a rule; the message names the value and the rule."""


class LimitExceeded(TrackstoreError, ValueError):
    """A value is over its limit; the message names the key, its length and the limit."""


class NotFound(TrackstoreError, LookupError):
    """There is no such experiment, run, tag or artifact."""


class AlreadyExists(TrackstoreError):
    """The id or the name is taken: `field` is `"id"`, `"name"` or, for an artifact, `"path"`."""

    def __init__(self, message: str, *, field: str = "name", outcome: Outcome = "none") -> None:
        super().__init__(message, outcome=outcome)
        self.field = field


class Conflict(TrackstoreError):
    """The write contradicts what is stored, such as a param that has another value."""


class InvalidState(TrackstoreError):
    """The run or experiment is deleted (or, for a purge, is not), or the store is closed."""


class PermissionDenied(TrackstoreError):
    """The caller, or the account that the store uses, may not do that."""


class Unsupported(TrackstoreError):
    """This store or server cannot do that; the message says what would be needed."""


class BackendError(TrackstoreError):
    """The database, disk or service behind the store failed."""


class Unavailable(BackendError):
    """The service could not be reached in time; the same call may succeed later."""
