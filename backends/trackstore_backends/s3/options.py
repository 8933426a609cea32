"""Where a bucket is and how it is asked: the URL, and the variables that AWS and MLflow use.

The credentials are boto3's own matter: variables, files, roles.  They never pass through here.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.loaders import create_loader
from botocore.model import ServiceModel
from msgspec import Struct

from trackstore.errors import InvalidRequest

LOADER: Final = create_loader()
"""Keeps what it has read: botocore's description of S3 takes longest of all to open a store."""
_ADDRESSING = ("auto", "path", "virtual")
_LISTING = ("keys", "folders")
_NO_YES = ("no", "yes")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_NOT_EXTRA: Final = frozenset(
    {"Bucket", "Key", "Body", "Metadata", "IfMatch", "IfNoneMatch", "WriteOffsetBytes"}
    | {"ContentLength", "ContentMD5", "ExpectedBucketOwner", "ChecksumAlgorithm"}
    | {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}
)
"""Arguments of an upload that are the store's own, or that reading would need too."""


class Options(Struct, frozen=True):
    bucket: str
    prefix: str
    """"" or ends in `/`."""
    endpoint: str | None = None
    region: str | None = None
    addressing: str = "auto"
    verify: bool = True
    owner: str | None = None
    timeout: float = 60.0
    connect_timeout: float = 5.0
    by_folder: bool = False
    versions: bool = False
    checksums: bool = True
    fast: bool = False
    """Objects are read and written by obstore."""
    extra: Mapping[str, Any] = {}
    """Arguments of every upload: encryption, storage class, tags..."""

    def __repr__(self) -> str:
        return "<the options of an s3: URL>"


def parse(url: str) -> Options:
    """Return what `url` and the variables say; the URL wins."""
    parts = urlsplit(url)
    bucket, prefix = parts.netloc, _decoded(parts.path).strip("/")
    if parts.scheme.lower() != "s3" or parts.fragment or not _BUCKET.fullmatch(bucket):
        raise InvalidRequest("expected s3://bucket/prefix?options, without user, port or fragment")
    if prefix and not {"", ".", ".."}.isdisjoint(prefix.split("/")):
        raise InvalidRequest("the prefix of an s3: URL has an empty, '.' or '..' segment")
    given = _query(parts.query)
    extra = _extra_of_environment()
    for name in [name for name in given if name[0].isupper()]:
        extra[name] = given.pop(name)
    found = _from_environment() | _settings(given)
    return Options(bucket, f"{prefix}/" if prefix else "", **found, extra=_checked(extra))


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the prefix of an s3: URL is not UTF-8") from error


def _query(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError as error:
        raise InvalidRequest("the options of an s3: URL are name=value, joined by &") from error
    if len(dict(pairs)) < len(pairs):
        raise InvalidRequest("an option of an s3: URL is given twice")
    return dict(pairs)


def _from_environment() -> dict[str, Any]:
    return {
        "endpoint": os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None,
        "addressing": _one_of(
            "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE",
            os.environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") or "auto",
            _ADDRESSING,
        ),
        "verify": os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() not in ("true", "1"),
        "owner": os.environ.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER") or None,
    }


def _settings(given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in ("endpoint", "region"):
            found[name] = value
        elif name == "addressing":
            found[name] = _one_of(name, value, _ADDRESSING)
        elif name in ("timeout", "connect_timeout"):
            found[name] = _seconds(name, value)
        elif name == "listing":
            found["by_folder"] = _one_of(name, value, _LISTING) == "folders"
        elif name in ("versions", "checksums", "fast"):
            found[name] = _one_of(name, value, _NO_YES) == "yes"
        else:
            raise InvalidRequest(
                "the options of an s3: URL are endpoint, region, addressing, timeout, "
                "connect_timeout, listing, versions, checksums, fast, and arguments of an upload "
                f"such as ServerSideEncryption; there is no {name[:40]!r}"
            )
    return found


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InvalidRequest(f"s3: {name} is one of {', '.join(known)}")
    return value


def _seconds(name: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError as error:
        raise InvalidRequest(f"s3: {name} is a number of seconds") from error
    if not 0 < seconds <= 3_600:
        raise InvalidRequest(f"s3: {name} is more than 0 and at most 3,600 seconds")
    return seconds


def _extra_of_environment() -> dict[str, Any]:
    text = os.environ.get("MLFLOW_S3_UPLOAD_EXTRA_ARGS")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidRequest("MLFLOW_S3_UPLOAD_EXTRA_ARGS is not JSON") from error
    if not isinstance(found, dict):
        raise InvalidRequest("MLFLOW_S3_UPLOAD_EXTRA_ARGS is not a JSON object")
    return found


def _checked(extra: dict[str, Any]) -> dict[str, Any]:
    """Refuse what both ways of uploading do not know: a misspelt encryption would be none."""
    if extra:
        known = _uploads_take() - _NOT_EXTRA
        wrong = sorted(set(extra) - known)
        if wrong:
            raise InvalidRequest(f"s3: {wrong[0][:60]!r} is no argument of an upload that is taken")
    return extra


def _uploads_take() -> frozenset[str]:
    model = ServiceModel(LOADER.load_service_model("s3", "service-2"), "s3")
    shapes = (model.operation_model(n).input_shape for n in ("PutObject", "CreateMultipartUpload"))
    one, parted = (frozenset(shape.members) for shape in shapes)
    return one & parted
