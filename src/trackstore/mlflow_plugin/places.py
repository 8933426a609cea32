"""URLs as MLflow has them, and what they lead to in this process.

MLflow resolves `mlflow-artifacts:/` URIs by asking a tracking server, and so do these stores leave
it to a server where there is one.  In a process that has none, they show MLflow such a URI under
their own scheme, which leads to the `ArtifactRepository` here, and to the folder where
`mlflow server` would keep the same file.
"""

import os
from functools import lru_cache
from threading import Lock
from typing import ClassVar

from mlflow.store.artifact.artifact_repository_registry import (
    get_registered_artifact_repositories,
)
from mlflow.store.artifact.host_policy import is_tracking_server_process
from mlflow.tracking import get_tracking_uri

from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder, Artifacts
from trackstore.errors import InvalidRequest
from trackstore.locations import url_of
from trackstore.opening import open_tracker
from trackstore.registry import has_scheme
from trackstore.tracker import Tracker

SCHEME = "trackstore:"

DESTINATION = "MLFLOW_ARTIFACTS_DESTINATION"
"""MLflow's own variable for the destination of proxied artifacts."""
ALLOWED_ROOTS = "TRACKSTORE_ALLOWED_ARTIFACT_ROOTS"
"""Prefixes, with commas between them, under which artifact locations may be chosen."""

_PROXIED = PROXIED_ROOT.removesuffix("/")
_OPENED_FOLDERS = 256


def inner_url(uri: str) -> str:
    """Return the store's own URL in one of MLflow's, such as `trackstore:sqlite:///runs.db`."""
    scheme, _, url = uri.partition(":")
    if f"{scheme.lower()}:" != SCHEME or not has_scheme(url):
        raise InvalidRequest(
            f"a URL for MLflow is {SCHEME} and a store's URL, such as {SCHEME}sqlite:///runs.db"
        )
    return url


def opened(
    backend: str, *, artifact_root: str | None = None, registry: str | None = None
) -> Tracker:
    """Return this process's tracker on some stores, which is opened once.

    `artifact_root` is where new experiments' files lie; where none is given, a tracker that was
    opened with one serves as well.
    """
    wanted = backend, registry or backend
    with _Process.lock:
        for (root, *stores), tracker in _Process.trackers.items():
            if tuple(stores) == wanted and artifact_root in {None, root}:
                return tracker
        tracker = open_tracker(
            backend,
            destination(),
            artifact_root=artifact_root,
            allowed_roots=_allowed_roots(),
            registry=registry,
        )
        _Process.trackers[artifact_root, *wanted] = tracker
        return tracker


def close_all() -> None:
    """Close what was opened; MLflow keeps its stores as long as its process."""
    with _Process.lock:
        while _Process.trackers:
            _Process.trackers.popitem()[1].close()


def _allowed_roots() -> list[str]:
    roots = os.environ.get(ALLOWED_ROOTS, "").split(",")
    return [root.strip() for root in roots if root.strip()]


class _Process:
    """What this process was told, and what it has opened."""

    destination: str | None = None
    trackers: ClassVar[dict[tuple[str | None, ...], Tracker]] = {}
    lock: ClassVar = Lock()


def use_destination(url: str) -> None:
    """Let proxied artifacts lead to `url`, as `mlflow gc --artifacts-destination` asks for."""
    _Process.destination = url


def destination() -> str:
    """Return where proxied artifacts lie, with the default of `mlflow server`."""
    url = _Process.destination or os.environ.get(DESTINATION) or "./mlartifacts"
    return without_scheme(url)


def without_scheme(url: str) -> str:
    return inner_url(url) if url.lower().startswith(SCHEME) else url


def shown(location: str) -> str:
    """Return a stored location, or a source, as MLflow can resolve it in this process."""
    if not has_scheme(location):
        return location
    scheme = location.partition(":")[0]
    if f"{scheme}:" == _PROXIED:
        is_ours = not is_tracking_server_process() and get_tracking_uri().startswith(SCHEME)
    else:
        is_ours = scheme not in get_registered_artifact_repositories()
    return f"{SCHEME}{location}" if is_ours else location


def stored(location: str) -> str:
    """Return a location that MLflow names as a store keeps it: the other way round."""
    return url_of(without_scheme(location))


def folder(uri: str) -> ArtifactFolder:
    """Return the folder that a location under our scheme names.

    One that is no proxied location is a URL of a store in its own right.
    """
    url = inner_url(uri)
    if url.startswith(_PROXIED):
        return _front(destination()).at(url)
    return _front(url).at(PROXIED_ROOT)


@lru_cache(maxsize=_OPENED_FOLDERS)
def _front(url: str) -> Artifacts:
    return Artifacts(url)
