"""Where a bucket is and how it is asked.

The credentials are the library's own matter: GOOGLE_APPLICATION_CREDENTIALS, gcloud, the metadata
of a machine.  They never pass through here.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import DecodeError, Meta, Struct, json

from trackstore.errors import InvalidRequest
from trackstore_backends.objects.urls import Address, parse_address, settings

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
Seconds = Annotated[float, Meta(gt=0, le=3_600)]


class Options(Struct, frozen=True):
    """Those that a URL may have."""

    endpoint: str | None = None
    """Instead of STORAGE_EMULATOR_HOST, or of Google's own."""
    auth: Literal["default", "anonymous"] = "default"
    project: str | None = None
    """Which is billed where the requester pays."""
    timeout: Seconds = 60.0
    connect_timeout: Seconds = 5.0
    versions: Literal["no", "yes"] = "no"
    """The bucket keeps what is overwritten."""
    kms_key: str | None = None
    storage_class: str | None = None
    predefined_acl: str | None = None

    def __repr__(self) -> str:
        return "<the options of a gs: URL>"


def parse(url: str) -> tuple[Address, Options]:
    address = parse_address(url)
    if address.scheme != "gs" or not _BUCKET.fullmatch(address.host):
        raise InvalidRequest("expected gs://bucket/prefix?option=value, without user and port")
    return address, settings(Options, address.options)


def can_sign(options: Options) -> bool:
    """Tell if the credentials are a key that signs by itself, without asking anybody."""
    file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if options.auth == "anonymous" or not file:
        return False
    try:
        return bool(json.decode(Path(file).read_bytes(), type=_KeyFile).type == "service_account")
    except (OSError, DecodeError):  # the first call says what is wrong with it
        return False


class _KeyFile(Struct):
    type: str = ""


def upload_headers(options: Options) -> dict[str, Any]:
    """Return what whoever is given a signed URL has to send, to encrypt as the store does."""
    named = {
        "x-goog-encryption-kms-key-name": options.kms_key,
        "x-goog-storage-class": options.storage_class,
        "x-goog-acl": options.predefined_acl and _dashed(options.predefined_acl),
    }
    return {name: value for name, value in named.items() if value}


def _dashed(acl: str) -> str:
    """The JSON API writes `publicRead` for what a header calls `public-read`."""
    return re.sub(r"(?=[A-Z])", "-", acl).lower()
