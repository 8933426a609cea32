"""Any artifact store behaves as a dict of paths, one call after another, through three handles."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

from trackstore_conformance.artifact.trial import ArtifactTrial
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.sequential.generated import TrialMachine
from trackstore_conformance.sequential.strategies import biased

SEGMENTS = st.sampled_from(["a", "b", "ab"])
ODD_SEGMENTS = st.sampled_from(
    ["a-b", "a.b", "A", "a ", "a.", "..a", "é", "e\u0301", "💥", "%", "a+b", "#", "?", "~a", "0"]
)
PATHS = st.lists(biased(SEGMENTS, ODD_SEGMENTS), min_size=1, max_size=3).map("/".join)
LEGAL_PATHS = PATHS.filter(lambda path: not path.startswith("~"))
FOLDERS = st.just("") | LEGAL_PATHS
CHUNKS = st.lists(biased(st.binary(max_size=4), st.just(bytes(70_000))), max_size=3)


class Listing:
    """A listing that has been begun: where its next page starts."""

    def __init__(self, prefix: str, *, deep: bool) -> None:
        self.prefix = prefix
        self.deep = deep
        self.after: str | None = None

    def __repr__(self) -> str:
        return f"<{'all' if self.deep else 'one level'} of {self.prefix!r} after {self.after!r}>"


class ArtifactMachine(TrialMachine):
    trial: ArtifactTrial
    bench: ClassVar[ArtifactBench]

    listings = Bundle("listings")

    def new_trial(self) -> ArtifactTrial:
        return ArtifactTrial(self.bench)

    @rule(path=LEGAL_PATHS, chunks=CHUNKS, if_absent=biased(st.just(value=False), st.booleans()))
    def put(self, path: str, chunks: list[bytes], if_absent: bool) -> None:
        if self.is_claimed(path, if_absent=if_absent) and not self.trial.model.clashes(path):
            self.trial.do("put", path, chunks, **({"if_absent": True} if if_absent else {}))
            self.get(path, 0, None)

    def is_claimed(self, path: str, *, if_absent: bool) -> bool:
        """Tell if the store says that it can do this; A-VER-02 has what it must do otherwise."""
        guarantees = self.bench.store.guarantees
        if if_absent:
            return guarantees.create_only != "none"
        return guarantees.artifact_overwrite != "refused" or path not in self.trial.model.files

    @rule(paths=st.lists(LEGAL_PATHS, min_size=3, max_size=8))
    def put_many(self, paths: list[str]) -> None:
        for path in paths:
            self.put(path, [path.encode()], if_absent=False)

    @rule(
        path=LEGAL_PATHS,
        start=biased(st.integers(0, 5), st.sampled_from([65_535, 65_536, 70_000, 10**6])),
        length=st.none() | biased(st.integers(0, 5), st.sampled_from([65_536, 10**6])),
    )
    def get(self, path: str, start: int, length: int | None) -> None:
        self.trial.do("read", path, start, length)

    @rule(path=LEGAL_PATHS)
    def stat(self, path: str) -> None:
        self.trial.do("stat", path)

    @rule(path=LEGAL_PATHS)
    def delete(self, path: str) -> None:
        self.trial.do("delete", path)
        self.stat(path)
        self.read_page(Listing("", deep=True), 1_000)

    @rule(target=listings, prefix=FOLDERS, deep=st.booleans(), limit=st.integers(1, 3))
    def begin_listing(self, prefix: str, deep: bool, limit: int) -> Listing:
        listing = Listing(prefix, deep=deep)
        self.read_page(listing, limit)
        return listing

    @rule(listing=listings, limit=st.integers(1, 3))
    def turn_page(self, listing: Listing, limit: int) -> None:
        self.read_page(listing, limit)

    def read_page(self, listing: Listing, limit: int) -> None:
        found = self.trial.do("scan", listing.prefix, listing.after, limit, deep=listing.deep)
        listing.after = found.raw.next

    def read_all(self) -> None:
        self.read_page(Listing("", deep=True), 1_000)
        for path in self.trial.model.files:
            self.get(path, 0, None)

    def remove_all(self) -> None:
        for path in {path.partition("/")[0] for path in self.trial.model.files}:
            self.delete(path)
        for deep in (True, False):
            self.read_page(Listing("", deep=deep), 1_000)
