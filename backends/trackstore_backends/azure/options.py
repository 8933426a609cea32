"""Where a container is and how it is asked: the URL, and the variables that Azure's tools use."""

import os
import re
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from trackstore.errors import InvalidRequest
from trackstore_backends.objects.urls import parse_address, settings

_CONTAINER = re.compile(r"\$root|[a-z0-9](?:-?[a-z0-9]){2,62}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CLOUDS = (
    r"core\.windows\.net",
    r"core\.chinacloudapi\.cn",
    r"core\.usgovcloudapi\.net",
    r"storage\.azure\.net",
)
_HOST = re.compile(rf"({_ACCOUNT.pattern})(?:\.z[0-9]+)?\.blob\.(?:{'|'.join(_CLOUDS)})")
_KEYS = ("AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY")
Seconds = Annotated[float, Meta(gt=0, le=3_600)]


class Options(Struct, frozen=True):
    """Those that a URL may have."""

    account: str | None = None
    """Instead of AZURE_STORAGE_ACCOUNT, or of that of AZURE_STORAGE_CONNECTION_STRING."""
    endpoint: str | None = None
    """The blob service's own address, where it is not that of Azure's public cloud."""
    auth: Literal["default", "anonymous"] = "default"
    timeout: Seconds = 60.0
    connect_timeout: Seconds = 5.0
    encryption_scope: str | None = None
    tier: Literal["Hot", "Cool", "Cold"] | None = None

    def __repr__(self) -> str:
        return "<the options of an az: URL>"


class Place(NamedTuple):
    """A container, and how to get at it.  It holds secrets: it is never shown."""

    endpoint: str
    container: str
    account: str
    key: str | None
    """The account's, which also signs URLs."""
    credential: Any
    """A key, a SAS token, None for nobody, or "token" for what azure-identity finds."""
    options: Options

    def __repr__(self) -> str:
        return "<a container of Azure>"


def parse(url: str) -> tuple[Place, str]:
    """Return the place and the prefix that a URL names; what it says wins over variables."""
    address = parse_address(url)
    options = settings(Options, address.options)
    container, at, host = address.host.rpartition("@")
    if address.scheme == "wasbs" and at:
        named = _HOST.fullmatch(host)
        if named is None:
            raise InvalidRequest("expected wasbs://container@account.blob.core.windows.net/prefix")
        options = _of_host(options, named[1], f"https://{host}")
    elif address.scheme == "az" and not at:
        container = address.host
    else:
        raise InvalidRequest("expected az://container/prefix, without user and port")
    if not _CONTAINER.fullmatch(container):
        raise InvalidRequest("Azure has no containers of such names: 3 to 63 of a-z, 0-9 and -")
    return _place(container, options), address.prefix


def _of_host(options: Options, account: str, endpoint: str) -> Options:
    if options.account or options.endpoint:
        raise InvalidRequest("a wasbs: URL names its account already")
    return Options(
        account,
        endpoint,
        options.auth,
        options.timeout,
        options.connect_timeout,
        options.encryption_scope,
        options.tier,
    )


def _place(container: str, options: Options) -> Place:
    """Put together what the URL and the variables say.

    A connection string is used for the account that it names and for no other, so that no SAS
    token of it is sent elsewhere.
    """
    known = _connection_string()
    account = options.account or os.environ.get("AZURE_STORAGE_ACCOUNT") or known.get("accountname")
    if account is None:
        raise InvalidRequest(
            "the storage account is not known: put account=... into the URL, or set "
            "AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING"
        )
    if not _ACCOUNT.fullmatch(account):
        raise InvalidRequest("Azure has no accounts of such names: 3 to 24 of a-z and 0-9")
    if known.get("accountname", account) != account:
        known = {}
    endpoint = options.endpoint or known.get("blobendpoint") or _public(account, known)
    key = known.get("accountkey") or _first(*_KEYS)
    credential = key or known.get("sharedaccesssignature") or _first("AZURE_STORAGE_SAS_TOKEN")
    if options.auth == "anonymous":
        return Place(endpoint, container, account, None, None, options)
    return Place(endpoint, container, account, key, credential or "token", options)


def _public(account: str, known: dict[str, str]) -> str:
    return f"https://{account}.blob.{known.get('endpointsuffix', 'core.windows.net')}"


def _first(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _connection_string() -> dict[str, str]:
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    pairs = [part.partition("=") for part in text.split(";") if part]
    if not all(equals for _, equals, _ in pairs):
        raise InvalidRequest("AZURE_STORAGE_CONNECTION_STRING is not name=value;name=value...")
    return {name.lower(): value for name, _, value in pairs}
