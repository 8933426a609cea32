"""What a store does not claim is tested too: it must be refused, and no other rule blamed."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from trackstore.errors import AlreadyExists, TrackstoreError, Unsupported
from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactStore, Guarantees
from trackstore_conformance import ArtifactStoreTests, BackendStoreTests
from trackstore_conformance.checks import checks_by_rule
from trackstore_conformance.claims import claimed, claims_of
from trackstore_conformance.effort import Settings
from trackstore_conformance.forwarding import ForwardingArtifactStore, ForwardingBackendStore
from trackstore_conformance.harness import Harness
from trackstore_conformance.rules import check_of
from trackstore_conformance.spec import RULES
from trackstore_conformance.suites import skip_what_cannot_be_asked
from trackstore_conformance.violations import Violation

MOMENT = 1e-4
"""Seconds for which a writer is let in, as on any store that is not in memory."""


class Modest(ForwardingArtifactStore):
    """Claims the least of everything, and refuses what it does not claim."""

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner)
        self.guarantees = Guarantees(  # type: ignore[misc]
            listing="weak", artifact_overwrite="refused", create_only="none"
        )

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if if_absent:
            raise Unsupported("this store cannot create only")
        try:
            return super().put(path, chunks, if_absent=True)
        except AlreadyExists as error:
            raise AlreadyExists("an artifact is not replaced", field="path") from error


class TakesIfAbsentAnyway(Modest):
    """Passes the option over in silence."""

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return super().put(path, chunks)


class RefusesAfterwards(Modest):
    """Says `Unsupported` once it has written."""

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        found = super().put(path, chunks)
        if if_absent:
            raise Unsupported("this store cannot create only")
        return found


class ReplacesAnyway(Modest):
    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if if_absent:
            raise Unsupported("this store cannot create only")
        return self.inner.put(path, chunks)


class RefusesByAnotherName(Modest):
    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        try:
            return super().put(path, chunks, if_absent=if_absent)
        except AlreadyExists as error:
            raise Unsupported("an artifact is not replaced") from error


class ListsByHalves(ForwardingArtifactStore):
    """A page of it is of two moments: what is put between them may show without what is not."""

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        early = super().scan(prefix, after, limit, deep=deep)
        sleep(MOMENT)
        late = super().scan(prefix, after, limit, deep=deep)
        half = f"{prefix}/06"
        rows = [i for i in early.items if i.path < half] + [i for i in late.items if i.path >= half]
        return Page(rows, late.next)


class ReadsRunByRun(ForwardingBackendStore):
    def scan_runs(self, *args: Any, **kwargs: Any) -> Any:
        page = super().scan_runs(*args, **kwargs)
        return Page([self._slowly(run.id) for run in page.items], page.next)

    def _slowly(self, run_id: str) -> Any:
        sleep(MOMENT)
        return self.get_run(run_id)


class Crowded(ForwardingBackendStore):
    """A run is read twice, at two moments, and the page has it as it was at the first."""

    def scan_runs(self, *args: Any, **kwargs: Any) -> Any:
        early = super().scan_runs(*args, **kwargs)
        sleep(MOMENT)
        late = super().scan_runs(*args, **kwargs)
        half = len(early.items) // 2
        return Page([*early.items[:half], *late.items[half:]], late.next)


def run(suite: Any, name: str, folder: Path) -> None:
    """Run a test of a suite as pytest would, on a store of its own."""
    folder.mkdir()
    with closing(suite.make_bench(folder, Settings())) as bench:
        skip_what_cannot_be_asked(bench, check_of(getattr(suite, name)))
        getattr(suite, name)(bench)


def suite_of(store: Any) -> Any:
    base = ArtifactStoreTests if issubclass(store, ArtifactStore) else BackendStoreTests
    return type("Of", (base,), {"harness": Harness("memory://{folder}", store.from_url)})()


CHECKS = checks_by_rule()
CLAIMS = [test.name for test in CHECKS["A-VER-02"]]


@pytest.mark.parametrize("name", sorted(ArtifactStoreTests.tests))
def test_a_modest_store_is_blamed_for_no_more_than_it_claims(name: str, tmp_path: Path) -> None:
    """A test fails only where it checks what the store does not claim, and nothing else."""
    claims = claims_of(Modest.from_url("memory://modest"))
    checked = [ident for ident, tests in CHECKS.items() if name in {test.name for test in tests}]
    try:
        run(suite_of(Modest), name, tmp_path / "place")
    except (AssertionError, TrackstoreError) as found:
        blamed = found.rules if isinstance(found, Violation) else checked
        assert not any(claimed(RULES[ident], claims) for ident in blamed)


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_claimed_needs_no_refusal(name: str, tmp_path: Path) -> None:
    """A store that claims both is not asked."""
    with pytest.raises(pytest.skip.Exception, match="N/A: it claims"):
        run(suite_of(ForwardingArtifactStore), name, tmp_path / "place")


@pytest.mark.parametrize(
    ("store", "part"),
    [
        (TakesIfAbsentAnyway, "create_only"),
        (RefusesAfterwards, "create_only"),
        (ReplacesAnyway, "overwrite"),
        (RefusesByAnotherName, "overwrite"),
    ],
)
def test_what_is_not_claimed_must_be_refused(store: Any, part: str, tmp_path: Path) -> None:
    """With the error of the contract, and with nothing written."""
    name = next(name for name in CLAIMS if part in name)
    with pytest.raises(AssertionError):
        run(suite_of(store), name, tmp_path / "place")


@pytest.mark.parametrize("store", [ListsByHalves, ReadsRunByRun, Crowded])
def test_a_page_of_two_moments_is_found(store: Any, tmp_path: Path) -> None:
    """The rule is named; a store that takes each page at once passes."""
    kind = "files" if issubclass(store, ArtifactStore) else "runs"
    name = f"test_a_page_of_{kind}_is_of_one_moment"
    with pytest.raises(Violation) as raised:
        run(suite_of(store), name, tmp_path / "place")
    assert raised.value.rules == (("A-LST-04",) if kind == "files" else ("B-PAG-03",))
