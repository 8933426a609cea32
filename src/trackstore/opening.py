"""How a tracker is opened on two URLs, and what a new store is given at its first start."""

from collections.abc import Sequence

from trackstore.artifacts import PROXIED_ROOT, Artifacts
from trackstore.errors import AlreadyExists, NotFound
from trackstore.model import Experiment
from trackstore.registry import open_backend_store, open_registry_store
from trackstore.stores import BackendStore
from trackstore.tracker import DEFAULT_EXPERIMENT_ID, Tracker, now_ms

DEFAULT_EXPERIMENT_NAME = "Default"
_SERVERS = ("http://", "https://")


def open_tracker(
    backend: str = "sqlite:///trackstore.db",
    artifacts: str | None = None,
    *,
    artifact_root: str | None = None,
    allowed_roots: Sequence[str] = (),
    registry: str | None = None,
    direct: bool = True,
) -> Tracker:
    """Return a tracker on the stores that two URLs name, making the schema at first start.

    `artifacts` is where `mlflow-artifacts:/` URIs lead: by default the folder `./artifacts`, or
    that of the server if `backend` is one's `http://` URL.  `artifact_root` is where the artifacts
    of new experiments lie; the root of the first start is kept in the store and used from then
    on where none is given.  Clients may choose locations under the roots and `allowed_roots`.

    If `direct`, clients may be given URLs by which they reach the files of a store that signs them.
    `registry` is the URL of the store of registered models, by default that of `backend`.

    Any number of processes may open the same new URL at once (rule B-MIG-02).

    Raises `InvalidRequest` for a URL that no installed store opens, and `Unsupported`, with the
    line that installs it, if a store's package is missing.
    """
    store = open_backend_store(backend)
    try:
        kept_root = _kept_artifact_root(store)
        root = artifact_root or kept_root or PROXIED_ROOT
        kept = () if kept_root is None else (kept_root,)
        files = artifacts or (backend if backend.startswith(_SERVERS) else "./artifacts")
        front = Artifacts(files, root=root, allowed=(*kept, *allowed_roots), direct=direct)
        if kept_root is None:
            _create_default_experiment(store, front)
        models = None if registry in {None, backend} else open_registry_store(registry)
    except BaseException:
        store.close()
        raise
    return Tracker(store, front, registry_store=models)


def _kept_artifact_root(store: BackendStore) -> str | None:
    """Return the root of the first start: the default experiment is in it, and is never purged."""
    try:
        default = store.get_experiment(DEFAULT_EXPERIMENT_ID)
    except NotFound:
        return None
    return default.artifact_location.removesuffix(DEFAULT_EXPERIMENT_ID)


def _create_default_experiment(store: BackendStore, artifacts: Artifacts) -> None:
    now = now_ms()
    location = artifacts.location(DEFAULT_EXPERIMENT_ID)
    default = Experiment(DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, location, now, now)
    try:
        store.create_experiment(default)
    except AlreadyExists:
        store.get_experiment(DEFAULT_EXPERIMENT_ID)
