"""One container, by Azure's library."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from azure.core import MatchConditions
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobPrefix,
    BlobSasPermissions,
    ContainerClient,
    LinearRetry,
    generate_blob_sas,
)
from requests import Response, Session
from requests.adapters import HTTPAdapter

from trackstore.errors import (
    LimitExceeded,
    NotFound,
    PermissionDenied,
)
from trackstore_backends.azure.errors import translated
from trackstore_backends.azure.options import Place
from trackstore_backends.objects import MARK, Batch, Body, Bucket, Head, Parts, Row

_MARK = MARK.replace("-", "_")
"""Names of metadata are identifiers."""
_CHUNK = 4 << 20
"""The most of which the service tells a checksum."""
_CONNECTIONS = 32
_LISTED, _DELETED = 5_000, 256
_LONGEST = 1_024


class AzureBucket(Bucket):
    def __init__(self, place: Place) -> None:
        self.place = place
        options = place.options
        with translated("SIGN"):
            self.client = ContainerClient(
                place.endpoint,
                place.container,
                credential=_credential(place),
                max_single_put_size=self.part_size,
                max_single_get_size=_CHUNK,
                max_chunk_get_size=_CHUNK,
                transport=RequestsTransport(
                    session=_session(),
                    session_owner=True,
                    connection_timeout=options.connect_timeout,
                    read_timeout=options.timeout,
                ),
                retry_policy=LinearRetry(backoff=1, retry_total=2, random_jitter_range=1),
            )
        found = {"encryption_scope": options.encryption_scope, "standard_blob_tier": options.tier}
        self.extra: dict[str, Any] = {name: value for name, value in found.items() if value}

    def close(self) -> None:
        self.client.close()

    def blob(self, key: str) -> BlobClient:
        if len(key) > _LONGEST:
            raise LimitExceeded(
                f"az: the service takes no path as long as this artifact's, {_LONGEST:,} "
                "characters with the store's prefix"
            )
        return self.client.get_blob_client(key)

    def head(self, key: str) -> Head:
        with translated("HEAD"):
            found = self.blob(key).get_blob_properties()
            return Head(found.size, found.etag, found.metadata.get(_MARK))

    def read(
        self,
        key: str,
        start: int,
        length: int | None,
        tag: str | None,
    ) -> Body:
        pinned: dict[str, Any] = {}
        if tag:
            pinned = {"etag": tag, "match_condition": MatchConditions.IfNotModified}
        with translated("GET"):
            return _Reply(
                self.blob(key).download_blob(
                    start if start or length is not None else None,
                    length,
                    validate_content=True,
                    max_concurrency=1,
                    **pinned,
                )
            )

    def write(self, key: str, body: bytes, *, mark: str, absent: bool) -> None:
        with translated("PUT", "unknown"):
            self.blob(key).upload_blob(
                body,
                overwrite=not absent,
                metadata={_MARK: mark},
                validate_content=True,
                max_concurrency=1,
                **self.extra,
            )

    def begin(self, key: str, *, mark: str, absent: bool) -> "Blocks":
        return Blocks(self, key, mark, absent=absent)

    def _list(self, prefix: str, after: str | None, *, level: bool, most: int) -> Iterator[Batch]:
        """What does not know `start_from` begins at the first name, so it is looked at here too."""
        listed = self.client.walk_blobs if level else self.client.list_blobs
        more: dict[str, Any] = {"delimiter": "/"} if level else {}
        with translated("LIST"):
            pages: Any = listed(
                prefix or None,
                results_per_page=min(max(most, 1), _LISTED),
                start_from=after,
                **more,
            ).by_page()
        token: str | None = ""
        while token is not None:
            with translated("LIST"):
                page = next(pages, None)
                if page is None:
                    return
                rows = sorted((_row(each) for each in page), key=lambda row: row.key)
                token = pages.continuation_token or None
            found = [row for row in rows if after is None or row.key > after]
            if found or token is None:
                yield Batch(found, more=token is not None)

    def delete(self, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            self._delete(keys[0])
            return
        for begin in range(0, len(keys), _DELETED):
            self._delete_many(keys[begin : begin + _DELETED])

    def _delete(self, key: str) -> None:
        try:
            with translated("DELETE", "unknown"):
                self.blob(key).delete_blob(delete_snapshots="include")
        except NotFound:
            return

    def _delete_many(self, keys: Sequence[str]) -> None:
        with translated("DELETE", "unknown"):
            replies = self.client.delete_blobs(
                *keys, delete_snapshots="include", raise_on_any_failure=False
            )
            failed = [
                key
                for key, reply in zip(keys, replies, strict=True)
                if reply.status_code not in {202, 404}
            ]
        for key in failed:  # once more, by a call whose error can be told
            self._delete(key)

    def sign(
        self, key: str, verb: Literal["GET", "PUT"], seconds: int
    ) -> tuple[str, dict[str, str]]:
        may = BlobSasPermissions(read=verb == "GET", write=verb == "PUT", create=verb == "PUT")
        return self.signed_url(key, may, seconds), _headers(verb, self.extra)

    def signed_url(self, key: str, may: BlobSasPermissions, seconds: int) -> str:
        """Return the URL of a blob that allows this, for so long, to whoever has it."""
        blob = self.blob(key)
        with translated("SIGN"):
            token = generate_blob_sas(
                self.place.account,
                self.place.container,
                key,
                account_key=self.place.key,
                permission=may,
                expiry=datetime.now(UTC) + timedelta(seconds=seconds),
                encryption_scope=self.place.options.encryption_scope,
            )
        return f"{blob.url}?{token}"


def _session() -> Session:
    """Return a session whose refusals are read, which the library forgets when it asks again."""
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    session.hooks["response"].append(_release_refused)
    return session


def _release_refused(reply: Response, *_: Any, **__: Any) -> None:
    if not reply.ok:
        reply.content  # noqa: B018 - reading it all gives the connection back


def _credential(place: Place) -> Any:
    if place.credential != "token":
        return place.credential
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - for few
    except ModuleNotFoundError as error:
        raise PermissionDenied(
            "az: there are no credentials: set AZURE_STORAGE_CONNECTION_STRING, "
            "AZURE_STORAGE_ACCESS_KEY or AZURE_STORAGE_SAS_TOKEN, or pip install azure-identity"
        ) from error
    return DefaultAzureCredential()


def _headers(verb: str, extra: dict[str, Any]) -> dict[str, str]:
    if verb == "GET":
        return {}
    tier = (
        {"x-ms-access-tier": extra["standard_blob_tier"]} if "standard_blob_tier" in extra else {}
    )
    return {"x-ms-blob-type": "BlockBlob", **tier}


def _row(found: Any) -> Row:
    return Row(found.name, None if isinstance(found, BlobPrefix) else found.size)


class Blocks(Parts):
    """Blocks of a blob, which nobody sees before they are committed.

    They belong to the blob: a commit by others takes away all that are not in its list.
    """

    def __init__(self, bucket: AzureBucket, key: str, mark: str, *, absent: bool) -> None:
        self._blob = bucket.blob(key)
        self._extra = bucket.extra
        self._mark = mark
        self._absent = absent
        self._sent: set[int] = set()

    def note(self, part: bytes) -> None:
        """Each block has a checksum of its own."""

    def send(self, number: int, part: bytes) -> None:
        scope: dict[str, Any] = {
            name: v for name, v in self._extra.items() if name == "encryption_scope"
        }
        with translated("PUT"):
            ident = block_id(self._mark, number)
            self._blob.stage_block(ident, part, validate_content=True, **scope)
        self._sent.add(number)

    def finish(self) -> None:
        self.commit([block_id(self._mark, number) for number in sorted(self._sent)])

    def commit(self, blocks: Sequence[str]) -> None:
        condition: dict[str, Any] = {}
        if self._absent:
            condition["match_condition"] = MatchConditions.IfMissing
        with translated("PUT", "unknown"):
            self._blob.commit_block_list(
                [BlobBlock(each) for each in blocks],
                metadata={_MARK: self._mark},
                **condition,
                **self._extra,
            )

    def abort(self) -> None:
        """Nothing can be done: the service drops blocks that are not committed within a week."""


def block_id(mark: str, number: int) -> str:
    """Return an id: those of one blob are equally long, and no two uploads have one in common."""
    return f"{mark}-{number:06}"


class _Reply(Body):
    """A download, in requests of a chunk each, all of the version of the first."""

    def __init__(self, reply: Any) -> None:
        whole = (reply.properties.content_range or "").rpartition("/")[2]
        super().__init__(int(whole) if whole else reply.properties.size, reply.properties.etag)
        self._chunks = reply.chunks()

    def __next__(self) -> bytes:
        with translated("GET"):
            chunk: bytes = next(self._chunks)
        return chunk

    def close(self) -> None:
        """Every request was read to its end."""
