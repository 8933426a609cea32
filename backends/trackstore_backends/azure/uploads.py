"""Uploads whose blocks a client sends by itself.

The service has no such thing as an upload: there are blocks of a blob, of which nobody sees any
until a list of them is committed, and which it drops after a week.  So the id of an upload is
signed by us with the path, and says which blocks are its own.  An upload that is aborted gets one
more block, which says so: single blocks cannot be dropped.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote
from uuid import uuid4

from azure.storage.blob import BlobSasPermissions

from trackstore.errors import InvalidRequest, NotFound
from trackstore.model import SignedURL
from trackstore_backends.azure.bucket import AzureBucket, Blocks, block_id
from trackstore_backends.azure.errors import translated

MOST_PARTS = 50_000
_ENDED = 999_999
"""The number of the block that says that an upload was aborted."""
_UPLOAD = re.compile(r"([1-9][0-9]{0,4})-([0-9a-f]{32})-([0-9a-f]{64})")


def begin(
    bucket: AzureBucket, secret: str, key: str, parts: int, seconds: int
) -> tuple[str, Sequence[SignedURL]]:
    """Return the id of a new upload, and where its parts go; nothing is asked of the service."""
    mark = uuid4().hex
    url = bucket.signed_url(key, BlobSasPermissions(write=True, create=True), seconds)
    places = [
        SignedURL(f"{url}&comp=block&blockid={_encoded(block_id(mark, number))}")
        for number in range(1, parts + 1)
    ]
    return f"{parts}-{mark}-{_signature(secret, key, parts, mark)}", places


def finish(bucket: AzureBucket, secret: str, key: str, upload: str, tags: int) -> int:
    """Publish the blocks and return the size of the whole."""
    parts, mark = _parse(secret, key, upload)
    if tags != parts:
        raise InvalidRequest(f"the upload has {parts:,} parts, and {tags:,} tags came")
    with translated("PUT"):
        committed, waiting = bucket.blob(key).get_block_list("all")
    sizes = {block.id: int(block.size) for block in waiting}
    if _ended(mark) in sizes or any(block.id == block_id(mark, 1) for block in committed):
        raise _no_such_upload()
    wanted = [block_id(mark, number) for number in range(1, parts + 1)]
    missing = sum(each not in sizes for each in wanted)
    if missing:
        raise InvalidRequest(
            f"{missing:,} of the upload's {parts:,} parts are missing: they were not sent, or "
            "others wrote the same file meanwhile"
        )
    blocks = Blocks(bucket, key, mark, absent=False)
    blocks.commit(wanted)
    return sum(sizes[each] for each in wanted)


def abort(bucket: AzureBucket, secret: str, key: str, upload: str) -> None:
    try:
        _, mark = _parse(secret, key, upload)
    except NotFound:
        return
    with translated("PUT"):
        bucket.blob(key).stage_block(_ended(mark), b"\0")


def _parse(secret: str, key: str, upload: str) -> tuple[int, str]:
    found = _UPLOAD.fullmatch(upload)
    if found is None:
        raise _no_such_upload()
    parts, mark = int(found[1]), found[2]
    if not hmac.compare_digest(found[3], _signature(secret, key, parts, mark)):
        raise _no_such_upload()
    return parts, mark


def _signature(secret: str, key: str, parts: int, mark: str) -> str:
    told = f"trackstore upload\n{parts}\n{mark}\n{key}"
    return hmac.new(secret.encode(), told.encode(), sha256).hexdigest()


def _encoded(block: str) -> str:
    """Return an id as it stands in a URL: Azure's library does the same elsewhere."""
    return quote(b64encode(block.encode()), safe="")


def _ended(mark: str) -> str:
    return block_id(mark, _ENDED)


def _no_such_upload() -> NotFound:
    return NotFound("there is no such upload: it was finished, aborted or never begun")
