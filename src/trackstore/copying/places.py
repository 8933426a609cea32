"""Where artifacts lie in the source, and where in the target."""

from trackstore import locations
from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder, Artifacts
from trackstore.locations import url_of
from trackstore.model import Experiment
from trackstore.registry import has_scheme

_PROXIED = PROXIED_ROOT.removesuffix("/")


class Leave:
    """Artifacts stay where they are: a location is only put as rows hold it."""

    def learn(self, experiment: Experiment) -> str:
        return self.moved(experiment.artifact_location)

    def moved(self, location: str) -> str:
        """Return where what lies there will lie; a source that is no location stays as it is."""
        return _tidied(location) if _is_location(location) else location


class Move:
    """All artifacts go to one destination, which a server proxies.

    `read` is where the source's own proxied ones are.
    """

    def __init__(self, read: str, write: str) -> None:
        self._read = read
        self._roots: dict[str, str] = {}
        self._from: Artifacts | None = None
        self._to = Artifacts(write)

    def close(self) -> None:
        self._to.close()
        if self._from is not None:
            self._from.close()

    def learn(self, experiment: Experiment) -> str:
        """Return the new location of an experiment, under which all of its files will lie."""
        old = _tidied(experiment.artifact_location)
        self._roots[old] = new = self._to.location(experiment.id)
        self._from = None
        return new

    def moved(self, location: str) -> str:
        if not _is_location(location):
            return location
        root = old = _tidied(location)
        while root not in self._roots:
            root, slash, _ = root.rpartition("/")
            if not slash:
                return old
        return self._roots[root] + old.removeprefix(root)

    def folders(self, location: str) -> tuple[ArtifactFolder, ArtifactFolder]:
        """Return the folder that a source's location names, and the one it is copied to."""
        if self._from is None:
            own = [root for root in self._roots if not root.startswith(_PROXIED)]
            self._from = Artifacts(self._read, allowed=own)
        old = _tidied(location)
        return self._from.at(old), self._to.at(self.moved(old))


def _is_location(source: str) -> bool:
    """Tell a location from a source that names a model or a run, or is a prompt's."""
    if has_scheme(source):
        return not source.startswith(("models:", "runs:"))
    return source.startswith("/")


def _tidied(location: str) -> str:
    return locations.tidy(url_of(location))
