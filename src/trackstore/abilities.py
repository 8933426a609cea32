"""Optional abilities of stores: protocols that a store has or has not (`isinstance` tells).

A front uses an ability where a store has it and does without where not; a wrapper around a store
forwards them on purpose.  `docs/contract.md` numbers the rules that the docstrings cite.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from trackstore.model import (
    ArtifactInfo,
    ArtifactVersion,
    MetricColumns,
    MetricCursor,
    Page,
    Run,
    RunQuery,
    SchemaChange,
    SearchCursor,
    SignedUpload,
    SignedURL,
)
from trackstore.stores import ArtifactReader


@runtime_checkable
class SearchesRuns(Protocol):
    """Optional: answer a query in the database instead of by a scan (B-SRC-01)."""

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        """Return exactly what `trackstore.search.search_by_scan` would."""
        ...


@runtime_checkable
class Upgrades(Protocol):
    """Optional: bring the schema up to date on purpose, and not at the first call (B-MIG-03)."""

    def upgrade(self) -> SchemaChange:
        """Make the schema if there is none, or upgrade it; what is stored stays as it is.

        Raises `Unsupported` if what is there is newer than this code, or not a store.
        """
        ...


@runtime_checkable
class ReadsColumns(Protocol):
    """Optional: read a history as columns, many times faster than as points (B-COL-01)."""

    def metric_columns(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> MetricColumns[MetricCursor]:
        """Return exactly what `trackstore.history.columns_by_pages` would.

        That is the points of `BackendStore.metric_history` without their links, and its `next`.
        """
        ...


@runtime_checkable
class DownsamplesHistory(Protocol):
    """Optional: thin a history out for a chart without reading all of it (B-COL-02)."""

    def downsample_history(
        self, run_id: str, key: str, steps: tuple[int, int], most: int
    ) -> MetricColumns[MetricCursor]:
        """Return exactly what `trackstore.history.downsample_by_pages` would, at one instant.

        That is at most `most` points of the steps from one to another, both included: all of them
        if they are no more; otherwise the first, the last, and of each of (most - 2) // 2 buckets
        the least and the greatest number.  `most` is at least 2.

        Bucket i of b has the points from place i * count // b up to (i + 1) * count // b, so that
        all have equally many, whatever their steps.  Of equal values the earliest is taken.  NaN
        is neither least nor greatest; of a bucket without a number its first point is taken.
        """
        ...


@runtime_checkable
class KeepsVersions(Protocol):
    """Optional: an artifact store that keeps what is overwritten (A-KEP-01 to A-KEP-03)."""

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        """Return a page of the versions of a file, the newest first, which is what `get` reads.

        A file that was deleted, or never was, may have none.  `after` is the `next` of the page
        before.
        """
        ...

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        """Return the bytes of one version, as `ArtifactStore.get` does; the id is hostile text.

        Raises `NotFound` if the file has no such version, or no longer.
        """
        ...


@runtime_checkable
class SignsURLs(Protocol):
    """Optional: let a client without credentials move one file (A-URL-01, A-URL-03)."""

    def sign_url(self, path: str, verb: Literal["GET", "PUT"], seconds: int) -> SignedURL:
        """Return a URL for one verb on one path, which is refused after `seconds`.

        The client sends `SignedURL.headers` with it.  What is sent by PUT is published as
        `ArtifactStore.put` would.  Nothing is asked of the service: the file need not be there.

        Raises `LimitExceeded` for more seconds than the service lets a URL be good for.
        """
        ...


@runtime_checkable
class SignsUploads(Protocol):
    """Optional: let a client without credentials send one file in parts (A-URL-02)."""

    def begin_upload(self, path: str, parts: int, seconds: int) -> SignedUpload:
        """Begin an upload of so many parts, each of which has a URL for PUT.

        Only the last part may be smaller than 5 MiB.  Raises `LimitExceeded` for more parts than
        the service takes, or more seconds than it lets a URL be good for.
        """
        ...

    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        """Publish the parts as one file.

        `tags` are what the service replied to each, in order: its header ETag, or "" if it gave
        none, as Azure does, and then only their number is compared.

        An upload that is finished twice is published once: the second call returns what the first
        did, or raises `NotFound`.  Raises `NotFound` for an upload that was not begun, was aborted,
        or is of another path, and `InvalidRequest` if a part is missing or is another than its tag
        says.  The id and the tags are hostile text.
        """
        ...

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Drop the parts that were sent; an upload that is not there is no error.

        Nor is one of another path, which goes on.
        """
        ...


@runtime_checkable
class SweepsUploads(Protocol):
    """Optional: remove what uploads that were cut or killed have left (A-SWP-01)."""

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        """Remove invisible remains in the folder `prefix` and return how many there were.

        Nothing that was touched in the last `older_than_s` seconds is removed, so that an upload
        under way goes on.
        """
        ...


OPTIONAL_ABILITIES: tuple[type, ...] = (
    SearchesRuns,
    ReadsColumns,
    DownsamplesHistory,
    Upgrades,
    KeepsVersions,
    SignsURLs,
    SignsUploads,
    SweepsUploads,
)
"""The optional protocols, as `trackstore backends` lists them."""
