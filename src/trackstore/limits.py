"""How long and how large a value may be: the one table, and the checks against it.

Lengths are in code points.  What is advertised is enforced, and nothing is ever cut.  The table
is that of `docs/design.md`, where it differs from MLflow's the reason is given there.
"""

from collections.abc import Sized
from typing import Final

from trackstore.errors import InvalidRequest, LimitExceeded

KEY: Final = 250
"""The key of a metric, param or tag."""
PARAM_VALUE: Final = 65_536
TAG_VALUE: Final = 65_536
EXPERIMENT_NAME: Final = 500
RUN_NAME: Final = 1_000
USER_ID: Final = 256
ARTIFACT_LOCATION: Final = 2_048
ARTIFACT_PATH: Final = 1_024
ARTIFACT_VERSION: Final = 1_024
SIGNED_SECONDS: Final = 3_600
"""How long what is signed may be good for."""
UPLOAD_PARTS: Final = 10_000
UPLOAD_ID: Final = 4_096
"""The id of an upload, and the tag of a part, as services make them."""
DATASET_NAME: Final = 500
DATASET_DIGEST: Final = 36
DATASET_SOURCE_TYPE: Final = 36
DATASET_SOURCE: Final = 65_535
DATASET_SCHEMA: Final = 1_048_575
DATASET_PROFILE: Final = 16_777_215
INPUT_TAG_KEY: Final = 255
INPUT_TAG_VALUE: Final = 500
MODEL_ID: Final = 250
MODEL_NAME: Final = 256
"""The name of a registered model."""
MODEL_ALIAS: Final = 255
VERSION_NUMBER: Final = 2**31 - 1
"""The greatest number of a version: every store keeps 32 bits."""
LOGGED_MODEL_NAME: Final = 500
MODEL_TYPE: Final = 500
MODEL_DESCRIPTION: Final = 65_536
"""Of a registered model, or of one of its versions; also the message of a status."""
MODEL_SOURCE: Final = 2_048
"""The source and the run link of a version."""
REGISTRY_TAG_VALUE: Final = 100_000

BATCH_CODE_POINTS: Final = 16_000_000
"""All text of one batch together; a metric counts as its key and 32 more."""
REQUEST_METRICS: Final = 1_000
REQUEST_PARAMS: Final = 100
REQUEST_TAGS: Final = 100
REQUEST_BYTES: Final = 64 * 1024 * 1024
"""The body of one REST request, artifacts aside."""

PAGE: Final = 50_000
"""Experiments or runs on one page."""
MODELS_PAGE: Final = 1_000
"""Registered models on one page."""
VERSIONS_PAGE: Final = 200_000
"""Versions of registered models on one page."""
HISTORY_PAGE: Final = 25_000
"""Metric points on one page."""
COLUMNS_PAGE: Final = 250_000
"""Metric points on one page of columns: 6 MB."""
CHART_POINTS: Final = 25_000
"""Metric points of a history that is thinned out."""
FILTER_TEXT: Final = 100_000
FILTER_CLAUSES: Final = 100
ORDER_FIELDS: Final = 20
EXPERIMENTS_PER_SEARCH: Final = 10_000

MIN_INT64: Final = -(2**63)
MAX_INT64: Final = 2**63 - 1


def check_size(what: str, value: Sized, limit: int) -> None:
    """Raise `LimitExceeded`, naming `what`, if `value` is longer than `limit`."""
    if len(value) > limit:
        raise LimitExceeded(f"{what} is {len(value):,} long, and the limit is {limit:,}")


def check_text(what: str, value: object, limit: int) -> str:
    """Return `value` if it is text that every store keeps exactly, and not over `limit`.

    Raises `InvalidRequest` for another type, a NUL or a lone surrogate (rule B-TXT-01), and
    `LimitExceeded` beyond the limit (B-TXT-02).
    """
    if not isinstance(value, str):
        raise InvalidRequest(f"{what} must be text, not {type(value).__name__}")
    if len(value) > limit:
        check_size(what, value, limit)
    if "\0" in value or not (value.isascii() or is_encodable(value)):
        raise InvalidRequest(f"{what} holds a NUL or a lone surrogate, which no store can keep")
    return value


def is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_int64(value: object, least: int = MIN_INT64) -> bool:
    return type(value) is int and least <= value <= MAX_INT64


def check_int64(what: str, value: object, *, least: int = MIN_INT64) -> int:
    """Return `value` if it is an integer of 64 bits that is not under `least`."""
    if type(value) is not int:
        raise InvalidRequest(f"{what} must be an integer, not {type(value).__name__}")
    if not least <= value <= MAX_INT64:
        raise InvalidRequest(f"{what} must lie between {least} and 2**63 - 1")
    return value


def check_page(limit: object, most: int) -> int:
    """Return the number of rows asked for, if a page may have as many."""
    if type(limit) is not int or not 1 <= limit <= most:
        raise InvalidRequest(f"the most results on a page must lie between 1 and {most:,}")
    return limit


def shown(value: object) -> str:
    """Return `value` as an error message may show it: quoted, escaped and not long."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text):,} characters)"
