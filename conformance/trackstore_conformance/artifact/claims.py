from random import Random

from trackstore.stores import CONTRACT, ArtifactStore, Guarantees
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.concurrent.moments import look_while
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable
from trackstore_conformance.suites import ArtifactSuite
from trackstore_conformance.violations import Violation

FILES = 12
LOOKS = 40


class ArtifactClaimTests(ArtifactSuite):
    """What a store says of itself, and what it does about what it does not claim."""

    __test__ = False

    @rule("A-VER-01")
    def test_an_artifact_store_states_its_contract_and_claims(self, bench: ArtifactBench) -> None:
        """It says which contract it implements, and what it guarantees beyond the core."""
        store = bench.store
        assert isinstance(store, ArtifactStore)
        assert store.contract[0] == CONTRACT[0]
        assert store.contract[1] <= CONTRACT[1]
        assert isinstance(store.guarantees, Guarantees)
        assert not store.ephemeral or store.guarantees.durability == "none"

    @rule("A-VER-02")
    def test_a_create_only_put_that_is_not_claimed_is_refused(self, bench: ArtifactBench) -> None:
        """`if_absent` raises `Unsupported`, whether the file is there or not."""
        if bench.store.guarantees.create_only != "none":
            not_applicable("it claims create_only")
        assert outcome(bench.store.put, "a", [b"1"], if_absent=True).ways == ("Unsupported",)
        assert bench.paths() == []
        bench.store.put("a", [b"1"])
        assert outcome(bench.store.put, "a", [b"2"], if_absent=True).ways == ("Unsupported",)
        assert bench.read("a") == b"1"
        bench.evidence.operations += 5

    @rule("A-VER-02")
    def test_an_overwrite_that_is_not_claimed_is_refused(self, bench: ArtifactBench) -> None:
        """A put of a file that is there raises `AlreadyExists`, and the file stays."""
        if bench.store.guarantees.artifact_overwrite != "refused":
            not_applicable("it claims artifact_overwrite")
        bench.store.put("a", [b"1"])
        for whole in (b"22", b"1", b""):
            assert outcome(bench.second.put, "a", [whole]).ways == ("AlreadyExists path",)
            assert bench.read("a") == b"1"
            bench.evidence.operations += 2

    @rule("A-LST-04", kind="conc")
    def test_a_page_of_files_is_of_one_moment(self, bench: ArtifactBench) -> None:
        """While files are put one after another, no page shows a later one without an earlier."""
        begun = 0

        def write(number: int) -> None:
            nonlocal begun
            begun = number
            folder, place = divmod(number, FILES)
            bench.store.put(names_in(folder, bench.seed)[place], [b"1"])
            bench.evidence.operations += 1

        def look() -> None:
            folder = begun // FILES
            judge(bench.second, str(folder), names_in(folder, bench.seed))
            bench.evidence.histories += 1

        look_while(write, look, bench.profile.rounds * LOOKS)


def names_in(folder: int, seed: int) -> list[str]:
    """Return the files of a folder in the order in which they are put."""
    names = [f"{folder}/{n:02}" for n in range(FILES)]
    Random(f"{seed}-{folder}").shuffle(names)
    return names


def judge(store: ArtifactStore, folder: str, order: list[str]) -> None:
    """Refuse a page whose files are not those that were put first."""
    found = {info.path for info in store.scan(folder, None, FILES + 1, deep=True).items}
    if found != set(order[: len(found)]):
        shown = [place for place, name in enumerate(order) if name in found]
        raise Violation("A-LST-04", witness=f"of files put one after another, a page has {shown}")
