"""The suite that proves what a store promises.

A store's author subclasses `BackendStoreTests` or `ArtifactStoreTests` and gives a URL;
`docs/writing-a-backend.md` shows it.
"""

import pytest

pytest.register_assert_rewrite(
    "trackstore_conformance.artifact",
    "trackstore_conformance.backend",
    "trackstore_conformance.machine",
)

from trackstore_conformance.artifact_store import ArtifactStoreTests  # noqa: E402
from trackstore_conformance.backend_store import BackendStoreTests  # noqa: E402

__all__ = ["ArtifactStoreTests", "BackendStoreTests"]
