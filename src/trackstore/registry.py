"""Find the store class that a URL's scheme names, among the installed entry points.

A backend registers itself in its own distribution, with one line for each kind of store:

    [project.entry-points."trackstore.backend_stores"]
    mydb = "my_package:MyStore"

Only the named class is imported, so a backend's dependencies are needed only by its users.  Of a
scheme such as `mydb+driver` the name is what stands before the `+`: the class reads the rest.
"""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from re import match
from typing import TypeVar

from trackstore.errors import InvalidRequest, Unsupported
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.stores import CONTRACT, ArtifactStore, BackendStore, Store

BACKEND_STORES = "trackstore.backend_stores"
ARTIFACT_STORES = "trackstore.artifact_stores"

S = TypeVar("S", bound=Store)


def open_backend_store(url: str) -> BackendStore:
    """Return the backend store that `url` names, such as `sqlite:///trackstore.db`.

    Raises `InvalidRequest` if no installed store, or more than one, claims the scheme, and
    `Unsupported` if the store needs a package that is not installed.
    """
    return find_store(BACKEND_STORES, BackendStore, url).from_url(url)


def open_registry_store(url: str) -> RegistryStore:
    """Return the store of registered models that `url` names: a backend store that keeps them too.

    Raises as `open_backend_store` does, and `Unsupported` if that store keeps none.
    """
    return find_store(BACKEND_STORES, RegistryStore, url).from_url(url)


def open_logged_model_store(url: str) -> LoggedModelStore:
    """Return the backend store that `url` names, if it keeps logged models too.

    Raises as `open_backend_store` does, and `Unsupported` if it keeps none.
    """
    return find_store(BACKEND_STORES, LoggedModelStore, url).from_url(url)


def open_artifact_store(url: str) -> ArtifactStore:
    """Return the artifact store that `url` names; a plain path is a local folder.

    Raises as `open_backend_store` does.
    """
    if not has_scheme(url):
        url = Path(url).absolute().as_uri()
    return find_store(ARTIFACT_STORES, ArtifactStore, url).from_url(url)


def has_scheme(url: str) -> bool:
    """Tell a URL from a plain path; `C:` and the like are drives, not schemes."""
    return bool(match(r"[A-Za-z][A-Za-z0-9+.-]+:", url))


def find_store(group: str, kind: type[S], url: str) -> type[S]:
    """Return the class that is registered in `group` for the scheme of `url`."""
    scheme = url.partition(":")[0].partition("+")[0].lower()
    claims = entry_points(group=group, name=scheme)
    if not has_scheme(url) or not claims:
        known = ", ".join(sorted({f"{entry.name}:" for entry in entry_points(group=group)}))
        raise InvalidRequest(
            f"no installed store opens URLs that start with {scheme[:40]!r}; there are {known}"
        )
    if len(claims) > 1:
        rivals = ", ".join(sorted(_origin(entry) for entry in claims))
        raise InvalidRequest(
            f"{scheme}: is claimed by more than one package ({rivals}); uninstall all but one"
        )
    return load_store(next(iter(claims)), kind)


def load_store(entry: EntryPoint, kind: type[S]) -> type[S]:
    """Import the class that an entry point names, and check that it can be used.

    Raises `Unsupported` if a package it needs is missing, or if it was written for another
    major version of the contract.
    """
    try:
        found = entry.load()
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"{entry.name}: needs the package {error.name!r}: {_install_line(entry)}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise Unsupported(f"{entry.name}: {_origin(entry)} is not a {kind.__name__}")
    if found.contract[0] != CONTRACT[0]:
        theirs, ours = (".".join(map(str, version)) for version in (found.contract, CONTRACT))
        raise Unsupported(
            f"{entry.name}: {_origin(entry)} implements contract {theirs}, and this trackstore "
            f"needs {ours}: upgrade one of the two"
        )
    return found


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name}'s {entry.value}" if entry.dist else entry.value


def _install_line(entry: EntryPoint) -> str:
    """Name the distribution that registered the store, with its extra of the same name."""
    if entry.dist is None:
        return f"install what {entry.value} imports"
    extras = entry.dist.metadata.get_all("Provides-Extra") or ()
    module = entry.module.rpartition(".")[2]
    extra = next((f"[{name}]" for name in (entry.name, module) if name in extras), "")
    return f"pip install '{entry.dist.name}{extra}'"
