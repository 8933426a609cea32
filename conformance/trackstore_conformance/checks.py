"""Which tests of the suite check which rule."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from trackstore_conformance.artifact_store import ArtifactStoreTests
from trackstore_conformance.backend_store import BackendStoreTests
from trackstore_conformance.rules import Need, check_of


class CheckedBy(Struct, frozen=True):
    """One test that checks a rule."""

    name: str
    promise: str
    """The first line of its docstring."""
    needs: tuple[Need, ...]


def checks_by_rule() -> Mapping[str, tuple[CheckedBy, ...]]:
    """Return the tests of each rule that has any, in the order of the suite."""
    found: dict[str, list[CheckedBy]] = defaultdict(list)
    for ident, test in _checks():
        found[ident].append(test)
    return {ident: tuple(tests) for ident, tests in found.items()}


def _checks() -> Iterator[tuple[str, CheckedBy]]:
    for suite in (BackendStoreTests, ArtifactStoreTests):
        for name, test in suite.tests.items():
            check = check_of(test)
            assert check is not None, name
            promise = (test.__doc__ or "").partition("\n")[0]
            for ident in check.rules:
                yield ident, CheckedBy(name, promise, check.needs)
