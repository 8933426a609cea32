"""Any artifact store behaves as a dict of paths, one call after another, through two handles."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, precondition, rule

from trackstore.model import ArtifactInfo, Page
from trackstore.stores import ArtifactStore
from trackstore_conformance.harness import ArtifactBench
from trackstore_conformance.model import Refused
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.strategies import biased

SEGMENTS = st.sampled_from(["a", "b", "ab"])
ODD_SEGMENTS = st.sampled_from(
    ["a-b", "a.b", "A", "a ", "a.", "..a", "é", "e\u0301", "💥", "%", "a+b", "#", "?", "~a", "0"]
)
PATHS = st.lists(biased(SEGMENTS, ODD_SEGMENTS), min_size=1, max_size=3).map("/".join)
LEGAL_PATHS = PATHS.filter(lambda path: not path.startswith("~"))
FOLDERS = st.just("") | LEGAL_PATHS
CHUNKS = st.lists(biased(st.binary(max_size=4), st.just(bytes(70_000))), max_size=3)


class FileModel:
    """A store of artifacts as the contract describes it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def info(self, path: str) -> ArtifactInfo:
        return ArtifactInfo(path, len(self.files[path]))

    def is_folder(self, path: str) -> bool:
        return any(each.startswith(f"{path}/") for each in self.files)

    def clashes(self, path: str) -> bool:
        """Tell if a folder has the path, or a file that of a parent: stores may refuse both."""
        return self.is_folder(path) or any(path.startswith(f"{each}/") for each in self.files)

    def put(self, path: str, chunks: list[bytes], *, if_absent: bool) -> ArtifactInfo:
        if if_absent and path in self.files:
            raise Refused("AlreadyExists path")
        self.files[path] = b"".join(chunks)
        return self.info(path)

    def get(self, path: str, start: int, length: int | None) -> bytes:
        if path not in self.files:
            raise Refused("NotFound")
        return self.files[path][start:][:length]

    def stat(self, path: str) -> ArtifactInfo:
        if path in self.files:
            return self.info(path)
        if self.is_folder(path):
            return ArtifactInfo(path, is_folder=True)
        raise Refused("NotFound")

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        inside = f"{prefix}/" if prefix else ""
        below = [path for path in self.files if path.startswith(inside)]
        if not deep:
            below = [inside + path[len(inside) :].partition("/")[0] for path in below]
        rows = [self.stat(path) for path in sorted(set(below)) if after is None or path > after]
        more = len(rows) > limit
        return Page(rows[:limit], rows[limit - 1].path if more else None)

    def delete(self, path: str) -> None:
        gone = [each for each in self.files if each == path or each.startswith(f"{path}/")]
        for each in gone:
            del self.files[each]


class Listing:
    """A listing that has been begun: where its next page starts."""

    def __init__(self, prefix: str, *, deep: bool) -> None:
        self.prefix = prefix
        self.deep = deep
        self.after: str | None = None

    def __repr__(self) -> str:
        return f"<{'all' if self.deep else 'one level'} of {self.prefix!r} after {self.after!r}>"


class ArtifactMachine(RuleBasedStateMachine):
    bench: ClassVar[ArtifactBench]

    listings = Bundle("listings")

    def __init__(self) -> None:
        super().__init__()
        self.model = FileModel()
        self.second = False
        self.agreed = True

    @property
    def store(self) -> ArtifactStore:
        return self.bench.second if self.second else self.bench.store

    @rule(path=LEGAL_PATHS, chunks=CHUNKS, if_absent=biased(st.just(value=False), st.booleans()))
    def put(self, path: str, chunks: list[bytes], if_absent: bool) -> None:
        if not self.model.clashes(path):
            self.agreed = False
            expected = outcome(self.model.put, path, chunks, if_absent=if_absent)
            found = outcome(self.store.put, path, iter(chunks), if_absent=if_absent)
            assert (found.ways, found.value) == (expected.ways, expected.value)
            self.agreed = True
            self.get(path, 0, None)

    @rule(
        path=LEGAL_PATHS,
        start=biased(st.integers(0, 5), st.sampled_from([65_535, 65_536, 70_000, 10**6])),
        length=st.none() | biased(st.integers(0, 5), st.sampled_from([65_536, 10**6])),
    )
    def get(self, path: str, start: int, length: int | None) -> None:
        self.agreed = False
        expected = outcome(self.model.get, path, start, length)
        found = outcome(lambda: b"".join(self.store.get(path, start, length)))
        assert (found.ways, found.raw) == (expected.ways, expected.raw)
        self.agreed = True

    @rule(path=LEGAL_PATHS)
    def stat(self, path: str) -> None:
        self.agreed = False
        expected, found = outcome(self.model.stat, path), outcome(self.store.stat, path)
        assert (found.ways, found.value) == (expected.ways, expected.value)
        self.agreed = True

    @rule(path=LEGAL_PATHS)
    def delete(self, path: str) -> None:
        self.agreed = False
        self.store.delete(path)
        self.model.delete(path)
        self.agreed = True
        self.stat(path)

    @rule(target=listings, prefix=FOLDERS, deep=st.booleans(), limit=st.integers(1, 3))
    def begin_listing(self, prefix: str, deep: bool, limit: int) -> Listing:
        listing = Listing(prefix, deep=deep)
        self.read_page(listing, limit)
        return listing

    @rule(listing=listings, limit=st.integers(1, 3))
    def turn_page(self, listing: Listing, limit: int) -> None:
        self.read_page(listing, limit)

    def read_page(self, listing: Listing, limit: int) -> None:
        self.agreed = False
        asked = (listing.prefix, listing.after, limit)
        expected = outcome(self.model.scan, *asked, deep=listing.deep)
        found = outcome(self.store.scan, *asked, deep=listing.deep)
        assert (found.ways, found.value) == (expected.ways, expected.value)
        listing.after = found.raw.next
        self.agreed = True

    @rule()
    def take_the_other_handle(self) -> None:
        self.second = not self.second

    @precondition(lambda self: not self.bench.store.ephemeral)
    @rule()
    def reopen(self) -> None:
        self.bench.close()

    def teardown(self) -> None:
        """Leave an empty store to the next example, or if this one failed, another store."""
        try:
            if self.agreed:
                self.read_page(Listing("", deep=True), 1_000)
                self.delete_all()
        finally:
            if not self.agreed:
                self.bench.move()

    def delete_all(self) -> None:
        for path in {path.partition("/")[0] for path in self.model.files}:
            self.delete(path)
        for deep in (True, False):
            self.read_page(Listing("", deep=deep), 1_000)


def machine_for(bench: ArtifactBench) -> type[ArtifactMachine]:
    return type("Machine", (ArtifactMachine,), {"bench": bench})
