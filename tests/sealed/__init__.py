"""SQL stores that seal all the time, a few points in a chunk: for tests."""

from trackstore.registry import open_backend_store
from trackstore_backends.sql.sealing import Sizes
from trackstore_backends.sql.store import SQLBackendStore

EAGER = Sizes(chunk=4, block=2, loose=4, least=1)


def open_eagerly(url: str) -> SQLBackendStore:
    """Open a store as its URL says, but for the sizes of its chunks."""
    store = open_backend_store(url)
    assert isinstance(store, SQLBackendStore)
    store._sizes = store._sealer._sizes = EAGER
    return store
