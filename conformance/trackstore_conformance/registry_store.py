"""The suite of a store of registered models: subclass `RegistryStoreTests`, say where a store is.

class TestMine(RegistryStoreTests):
    harness = "mine:///{folder}/store"
"""

from trackstore_conformance.registry.concurrency import RegistryConcurrencyTests
from trackstore_conformance.registry.lists import RegistryListTests
from trackstore_conformance.registry.models import ModelTests
from trackstore_conformance.registry.versions import VersionTests


class RegistryStoreTests(ModelTests, VersionTests, RegistryListTests, RegistryConcurrencyTests):
    """Every rule of `docs/contract.md` for stores of registered models."""

    __test__ = False
