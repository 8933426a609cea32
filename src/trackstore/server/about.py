"""What the server says of itself, and what its clients ask although they need no answer."""

from collections.abc import Callable
from importlib.metadata import version

from msgspec import Struct

from trackstore.artifacts import PROXIED_ROOT
from trackstore.model_stores import LoggedModelStore
from trackstore.tracker import DEFAULT_EXPERIMENT_ID, Tracker
from trackstore.wire.replies import encode
from trackstore.wire.requests import Nothing

VERSION = version("trackstore").encode()
TEXT = "text/plain; charset=utf-8"


class Site(Struct, frozen=True):
    """The server as a whole, for what tells about it."""

    openapi: Callable[[], bytes]
    """Returns the description of all that is served."""
    metrics: Callable[[], bytes]
    """Returns what is counted, for Prometheus."""


def metrics(site: Site) -> bytes:
    return site.metrics()


def openapi(site: Site) -> bytes:
    return site.openapi()


def server_info(tracker: Tracker, _asked: Nothing) -> bytes:
    """Say what the client decides by, such as whether files may go directly to the store."""
    proxied = tracker.artifacts.at(PROXIED_ROOT)
    runs = tracker.artifacts.at(tracker.artifacts.location(DEFAULT_EXPERIMENT_ID))
    return encode(
        {
            "store_type": None,
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": proxied.signs_uploads,
            "multipart_downloads_enabled": proxied.signs_urls,
            "presigned_upload_run_id_supported": runs.signs_urls,
            "presigned_upload_model_id_supported": (
                runs.signs_urls and isinstance(tracker.store, LoggedModelStore)
            ),
            "features_enabled": {"gateway": False},
        }
    )


def health(_site: Site) -> bytes:
    return b"OK"


def server_version(_site: Site) -> bytes:
    return VERSION
