"""The front over artifact stores: where a run's files are, and what may be done with them.

Every location goes through `trackstore.locations`, for each verb anew.  Whatever these classes
raise is of `trackstore.errors`, but for the `OSError` of a local file that is read or written.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from trackstore import locations, paths
from trackstore.errors import InvalidState, PermissionDenied
from trackstore.folders import ArtifactFolder
from trackstore.locations import PROXIED_ROOT, Location, parse_location
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore

__all__ = ["PROXIED_ROOT", "ArtifactFolder", "Artifacts"]


class Artifacts:
    """Resolves artifact locations to folders of artifact stores.

    `destination` is the URL of the store that `mlflow-artifacts:/` leads to.  `root` is where the
    artifacts of new experiments lie.  A location is good if it lies under `mlflow-artifacts:/`,
    `root` or one of `allowed`; of several the most specific one decides, and each is opened as a
    store of its own, at first use.  If not `direct`, nothing is signed.  Thread-safe.
    """

    def __init__(
        self,
        destination: str,
        *,
        root: str = PROXIED_ROOT,
        allowed: Sequence[str] = (),
        direct: bool = True,
    ) -> None:
        self._direct = direct
        self._root = locations.tidy(locations.url_of(root))
        self._urls = {parse_location(PROXIED_ROOT): locations.url_of(destination)}
        for url in map(locations.url_of, (root, *allowed)):
            place = parse_location(url)
            if not place.is_proxied:
                self._urls[place] = locations.tidy(url)
        self._stores: dict[Location, ArtifactStore] = {}
        self._closed = False

    def close(self) -> None:
        """Close all stores, after the calls under way; later calls raise `InvalidState`."""
        self._closed = True
        for store in tuple(self._stores.values()):
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def location(self, experiment_id: str) -> str:
        """Return the artifact location of a new experiment: `<root>/<experiment>`."""
        return locations.child(self._root, paths.check_path(experiment_id))

    def run_uri(self, location: str, run_id: str) -> str:
        """Return where a run's artifacts lie: `<experiment's location>/<run>/artifacts`."""
        folder = locations.child(location, paths.check_path(run_id))
        return locations.child(folder, "artifacts")

    def check_location(self, uri: str) -> str:
        """Return a location that a client chose as it is to be stored.

        Raises `InvalidRequest` if it has a host where that means another machine, a password,
        options, parameters, a fragment, a dot segment in any decoding, no scheme, or the scheme
        `http`, `https`, `models` or `runs`; `LimitExceeded` over `limits.ARTIFACT_LOCATION`;
        `PermissionDenied` if it lies under none of the roots.
        """
        place = parse_location(uri)
        place.path_in(self._root_of(place))
        return locations.tidy(uri)

    def at(self, uri: str) -> "ArtifactFolder":
        """Return the folder that a stored location names; it is checked as a client's is."""
        place = parse_location(uri)
        root = self._root_of(place)
        path = place.path_in(root)
        return ArtifactFolder(self._store(root), path, direct=self._direct)

    def roots(self) -> Sequence[str]:
        """Return the locations below which new experiments lie, or lay by default."""
        return tuple(dict.fromkeys((PROXIED_ROOT, self._root)))

    def stores(self) -> Sequence[ArtifactStore]:
        """Return the store of each root."""
        return [self._store(self._root_of(parse_location(root))) for root in self.roots()]

    def _root_of(self, place: Location) -> Location:
        for end in range(len(place.segments), -1, -1):
            root = place._replace(segments=place.segments[:end])
            if root in self._urls:
                return root
        raise PermissionDenied(
            f"an artifact location of the scheme {place.scheme[:40]}: lies under none of the roots "
            "that this server or library was given; --allow-artifact-root adds one"
        )

    def _store(self, root: Location) -> ArtifactStore:
        store = self._stores.get(root)
        if store is None:
            opened = open_artifact_store(self._urls[root])
            store = self._stores.setdefault(root, opened)
            if store is not opened:
                opened.close()
        if self._closed:
            store.close()
            raise InvalidState("these artifact stores are closed")
        return store
