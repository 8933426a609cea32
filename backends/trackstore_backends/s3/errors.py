"""The one place where what boto3 raises becomes an error of the contract."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore import exceptions as boto
from botocore.exceptions import ClientError

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

_KEYS: Final = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role in use"
_AGAIN: Final = "get new ones, for a token ends with its session"
_BUCKET: Final = "correct the bucket in the store's URL, or make it"
_REGION: Final = "put region=... into the store's URL, or set AWS_REGION"

_CODES: Final[dict[str, tuple[type[TrackstoreError], str]]] = {
    "NoSuchKey": (NotFound, "there is no such artifact"),
    "404": (NotFound, "there is no such artifact"),
    "NoSuchVersion": (NotFound, "the artifact has no such version"),
    "NoSuchUpload": (NotFound, "there is no such upload: it was finished, aborted or never begun"),
    "NoSuchBucket": (BackendError, f"there is no such bucket: {_BUCKET}"),
    "InvalidBucketName": (BackendError, f"the service refuses the bucket's name: {_BUCKET}"),
    "PermanentRedirect": (BackendError, f"the bucket is in another region: {_REGION}"),
    "301": (BackendError, f"the bucket is in another region: {_REGION}"),
    "AuthorizationHeaderMalformed": (BackendError, f"the bucket is in another region: {_REGION}"),
    "IllegalLocationConstraintException": (BackendError, f"another region is meant: {_REGION}"),
    "InvalidAccessKeyId": (PermissionDenied, f"the access key is not known: {_KEYS}"),
    "SignatureDoesNotMatch": (PermissionDenied, f"the secret key is wrong: {_KEYS}"),
    "ExpiredToken": (PermissionDenied, f"the credentials have expired: {_AGAIN}"),
    "ExpiredTokenException": (PermissionDenied, f"the credentials have expired: {_AGAIN}"),
    "TokenRefreshRequired": (PermissionDenied, f"the credentials have expired: {_AGAIN}"),
    "InvalidToken": (PermissionDenied, f"AWS_SESSION_TOKEN is not accepted: {_AGAIN}"),
    "RequestTimeTooSkewed": (PermissionDenied, "this machine's clock is wrong: set it"),
    "KeyTooLongError": (LimitExceeded, "the service takes no path as long as this artifact's"),
    "EntityTooLarge": (LimitExceeded, "the service takes no file as large as this"),
    "EntityTooSmall": (InvalidRequest, "a part other than the last is smaller than 5 MiB"),
    "InvalidPart": (InvalidRequest, "a part is missing, or is another than its tag says"),
    "InvalidPartOrder": (InvalidRequest, "the parts are not in order"),
    "MalformedXML": (InvalidRequest, "the list of parts is not understood"),
    "BadDigest": (Unavailable, "bytes were changed on their way: try again"),
    "InvalidDigest": (Unavailable, "bytes were changed on their way: try again"),
    "XAmzContentSHA256Mismatch": (Unavailable, "bytes were changed on their way: try again"),
    "XAmzContentChecksumMismatch": (Unavailable, "bytes were changed on their way: try again"),
    "ConditionalRequestConflict": (Unavailable, "others write this artifact too: try again"),
    "OperationAborted": (Unavailable, "others change the bucket too: try again"),
    "NotImplemented": (Unsupported, "the service cannot do that"),
    "InvalidRange": (NotFound, "the artifact is shorter"),
}
_STATUSES: Final[dict[int, tuple[type[TrackstoreError], str]]] = {
    401: (PermissionDenied, f"the credentials are refused: {_KEYS}"),
    429: (Unavailable, "the service is asked too often: try again"),
    405: (Unsupported, "the service cannot do that"),
    501: (Unsupported, "the service cannot do that"),
}
_NEEDS: Final = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject and s3:ListBucket",
    "PUT": "s3:PutObject",
    "LIST": "s3:ListBucket",
    "DELETE": "s3:DeleteObject",
    "ABORT": "s3:AbortMultipartUpload",
    "LIST UPLOADS": "s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts",
    "LIST VERSIONS": "s3:ListBucketVersions",
    "GET VERSION": "s3:GetObjectVersion",
    "HEAD VERSION": "s3:GetObjectVersion",
}
_CREDENTIALS: Final = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.SSOError,
    boto.MetadataRetrievalError,
    boto.ProfileNotFound,
)
_SETTINGS: Final = (
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.UnknownEndpointError,
    boto.InvalidConfigError,
    boto.ConfigParseError,
    boto.UnsupportedSignatureVersionError,
    boto.InvalidS3AddressingStyleError,
)


@contextmanager
def translated(verb: str, lost: Outcome = "none") -> Iterator[None]:
    """Translate what a call raises; `lost` is the outcome where its reply may have been lost."""
    try:
        yield
    except (TrackstoreError, Changed, OutOfRange):
        raise
    except ClientError as error:
        raise _of_reply(error, verb, lost) from error
    except _CREDENTIALS as error:
        raise PermissionDenied(f"s3 {verb}: there are no usable credentials: {_KEYS}") from error
    except boto.ParamValidationError as error:
        raise InvalidRequest(f"s3 {verb}: an argument of an upload has a wrong value") from error
    except _SETTINGS as error:
        raise BackendError(f"s3 {verb}: the region or endpoint is wrong: {_REGION}") from error
    except Exception as error:
        # What a cut or damaged reply makes of the SDK's code is a lost connection, too.
        raise Unavailable(
            f"s3 {verb}: the service did not answer, or not to the end: try again, "
            "and check the endpoint and the network if that stays so",
            outcome=lost,
        ) from error


def _of_reply(error: ClientError, verb: str, lost: Outcome) -> Exception:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("PreconditionFailed", "412"):
        return (
            Changed()
            if verb == "GET"
            else AlreadyExists("an artifact of this path is there", field="path")
        )
    if verb.endswith("VERSION") and status in (400, 404, 405):  # an id, or a deletion's id
        return NotFound("the artifact has no such version")
    if code in ("InvalidRange", "416") and verb.startswith("GET"):
        return OutOfRange()
    known = _CODES.get(code) or _STATUSES.get(status)
    if known is None and status == 403:
        needs = _NEEDS[verb]
        known = PermissionDenied, f"it is not allowed ({code}): {needs} is needed on the bucket"
    if known is None and status >= 500:
        known = Unavailable, f"the service failed ({code}): try again"
    kind, says = known or (BackendError, f"the service refused it ({code})")
    # Also a refusal may be of a second attempt, after the first one's reply was lost.
    attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    is_lost = status >= 500 or (attempts and kind is not NotFound)
    return kind(f"s3 {verb}: {says}", outcome=lost if is_lost else "none")


def code_of(error: ClientError) -> str:
    """Return the service's code, which is hostile text, as a word."""
    return re.sub(r"[^A-Za-z0-9.]", "", str(error.response.get("Error", {}).get("Code", "")))[:60]
