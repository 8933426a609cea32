"""The suite that proves what a store promises."""

import pytest

pytest.register_assert_rewrite(
    "trackstore_conformance.backend",
    "trackstore_conformance.artifact",
    "trackstore_conformance.machine",
)

from trackstore_conformance.backend_store import BackendStoreTests  # noqa: E402

__all__ = ["BackendStoreTests"]
