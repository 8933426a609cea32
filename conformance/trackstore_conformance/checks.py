"""Which tests of the suite check which rule."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from trackstore_conformance.artifact_store import ArtifactStoreTests
from trackstore_conformance.backend_store import BackendStoreTests
from trackstore_conformance.logged_model_store import LoggedModelStoreTests
from trackstore_conformance.registry_store import RegistryStoreTests
from trackstore_conformance.rules import Need, Suite, check_of
from trackstore_conformance.spec import Contract, Kind

SUITES: Mapping[Contract, type[Suite]] = MappingProxyType(
    {
        "backend": BackendStoreTests,
        "artifact": ArtifactStoreTests,
        "registry": RegistryStoreTests,
        "logged-models": LoggedModelStoreTests,
    }
)
"""The suite of each contract."""


class CheckedBy(Struct, frozen=True):
    """One test that checks a rule."""

    name: str
    promise: str
    """The first line of its docstring."""
    kind: Kind
    needs: tuple[Need, ...]


def checks_by_rule() -> Mapping[str, tuple[CheckedBy, ...]]:
    """Return the tests of each rule that has any, in the order of the suite."""
    found: dict[str, list[CheckedBy]] = defaultdict(list)
    for ident, test in _checks():
        found[ident].append(test)
    return {ident: tuple(tests) for ident, tests in found.items()}


def _checks() -> Iterator[tuple[str, CheckedBy]]:
    for suite in SUITES.values():
        for name, test in suite.tests.items():
            check = check_of(test)
            assert check is not None, name
            promise = (test.__doc__ or "").partition("\n")[0]
            for ident in check.rules:
                yield ident, CheckedBy(name, promise, check.kind, check.needs)


def rules_of_tests(contract: Contract) -> Mapping[str, tuple[str, ...]]:
    """Return the tests of a contract's suite by name, each with the rules that it checks."""
    checks = {name: check_of(test) for name, test in SUITES[contract].tests.items()}
    return {name: check.rules for name, check in checks.items() if check}
