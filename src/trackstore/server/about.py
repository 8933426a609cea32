"""What the server says of itself, and what its clients ask although they need no answer."""

from importlib.metadata import version

from trackstore.tracker import Tracker
from trackstore.wire.replies import EMPTY, encode
from trackstore.wire.requests import Nothing

SERVER_INFO = encode(
    {
        "store_type": None,
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {"gateway": False},
    }
)
VERSION = version("trackstore").encode()


def server_info(_tracker: Tracker, _asked: Nothing) -> bytes:
    return SERVER_INFO


def health(_tracker: Tracker) -> bytes:
    return b"OK"


def server_version(_tracker: Tracker) -> bytes:
    return VERSION


def no_logged_models(_tracker: Tracker, _asked: Nothing) -> bytes:
    """Downloads of the stock client look for models first; none can have been logged."""
    return EMPTY
