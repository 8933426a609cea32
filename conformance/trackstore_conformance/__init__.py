"""The suite that proves what a store promises.

A store's author subclasses `BackendStoreTests`, or that of another contract, and gives a URL;
`docs/conformance.md` shows this and two other ways.  Importing this package imports none of it,
since pytest does so in every project of a machine that has the suite.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackstore_conformance.artifact_store import ArtifactStoreTests
    from trackstore_conformance.backend_store import BackendStoreTests
    from trackstore_conformance.harness import Harness
    from trackstore_conformance.logged_model_store import LoggedModelStoreTests
    from trackstore_conformance.registry_store import RegistryStoreTests

__all__ = [
    "ArtifactStoreTests",
    "BackendStoreTests",
    "Harness",
    "LoggedModelStoreTests",
    "RegistryStoreTests",
]

HOMES = {
    "ArtifactStoreTests": "trackstore_conformance.artifact_store",
    "BackendStoreTests": "trackstore_conformance.backend_store",
    "Harness": "trackstore_conformance.harness",
    "LoggedModelStoreTests": "trackstore_conformance.logged_model_store",
    "RegistryStoreTests": "trackstore_conformance.registry_store",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"{__name__} has no {name}")
    from importlib import import_module

    return getattr(import_module(HOMES[name]), name)
