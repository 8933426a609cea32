"""Trees of files, moved many at a time, and the versions of a file, through the front."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Barrier, Event

import pytest

from trackstore.artifacts import ArtifactFolder
from trackstore.errors import InvalidRequest, LimitExceeded, NotFound, Unsupported
from trackstore.model import ArtifactInfo
from trackstore.parallel import Progress
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactReader, ArtifactStore
from trackstore_backends.memory_artifacts import MemoryArtifactStore

CONTROLLED = 20
FILES = 40


@pytest.fixture
def store() -> Iterator[ArtifactStore]:
    with open_artifact_store("memory:") as store:
        yield store


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(FILES):
        place = tmp_path / "tree" / f"{number % 4}" / f"{number}.bin"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"%d" % number * 1_000)
    return tmp_path / "tree"


def content(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_tree_goes_up_and_comes_down(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    """All files, whatever the number of threads, byte for byte."""
    for workers in (1, 3, 16):
        folder = ArtifactFolder(store, f"by{workers}")
        folder.upload(tree, "a/b", workers=workers)
        folder.download("a/b", tmp_path / f"out{workers}", workers=workers)
        assert content(tmp_path / f"out{workers}") == content(tree)


def test_files_are_moved_at_the_same_time(tree: Path, tmp_path: Path) -> None:
    """So many wait for one another, both ways, as there are threads."""
    meeting = Barrier(4)

    class Waiting(MemoryArtifactStore):
        def put(
            self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False
        ) -> ArtifactInfo:
            meeting.wait(CONTROLLED)
            return super().put(path, chunks, if_absent=if_absent)

        def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
            meeting.wait(CONTROLLED)
            return super().get(path, start, length)

    with Waiting.from_url("memory:") as store:
        folder = ArtifactFolder(store)
        folder.upload(tree, workers=4)
        folder.download("", tmp_path / "out", workers=4)


def test_progress_is_told(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    """It never goes back, and ends with all files and bytes."""
    folder = ArtifactFolder(store)
    size = sum(map(len, content(tree).values()))
    end = Progress(FILES, size, FILES, size, is_counted=True)
    for move in (
        lambda tell: folder.upload(tree, progress=tell),
        lambda tell: folder.download("", tmp_path / "out", progress=tell),
    ):
        told: list[Progress] = []
        move(told.append)
        assert told[-1] == end
        assert [each.bytes for each in told] == sorted(each.bytes for each in told)
    told = []
    folder.upload(tree / "1/1.bin", "alone", progress=told.append)
    assert told[-1] == Progress(1, 1_000, 1, 1_000, is_counted=True)
    told = []
    folder.download("alone", tmp_path / "alone", progress=told.append)
    assert told[-1] == Progress(1, 1_000, 1, 1_000, is_counted=True)


def test_one_failure_ends_an_upload(tree: Path) -> None:
    """Its error is raised, those under way end at their next chunk, and no other is begun."""
    failed = Event()
    begun: list[str] = []

    class Failing(MemoryArtifactStore):
        def put(
            self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False
        ) -> ArtifactInfo:
            begun.append(path)
            if path == "1/1.bin":
                failed.set()
                raise ConnectionResetError("injected")
            assert failed.wait(CONTROLLED)
            return super().put(path, chunks, if_absent=if_absent)

    (tree / "0").rename(tree / "5")
    folder = ArtifactFolder(Failing.from_url("memory:"))
    with pytest.raises(ConnectionResetError):
        folder.upload(tree, workers=4)
    assert len(begun) < FILES // 2


def test_a_broken_tree_is_not_downloaded_in_part(
    store: ArtifactStore, tree: Path, tmp_path: Path
) -> None:
    """A-GET-03: after a failure in any thread nothing is left, not under another name either."""

    class Broken(ArtifactFolder):
        def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
            if path == "2/22.bin":
                raise ConnectionResetError("injected")
            return super().get(path, start, length)

    Broken(store).upload(tree)
    with pytest.raises(ConnectionResetError):
        Broken(store).download("", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_versions_are_paged_and_read(store: ArtifactStore, tmp_path: Path) -> None:
    """The newest first; ranges of each; and an old one can be downloaded."""
    folder = ArtifactFolder(store, "run")
    for number in range(5):
        folder.put("a", [b"version %d" % number])
    pages, token = [], None
    while True:
        page = folder.versions("a", limit=2, page_token=token)
        pages += page.items
        if (token := page.next) is None:
            break
    read = [b"".join(folder.get_version("a", each.id, 8)) for each in pages]
    assert read == [b"4", b"3", b"2", b"1", b"0"]
    folder.download("a", tmp_path / "old", version=pages[3].id)
    assert (tmp_path / "old").read_bytes() == b"version 1"


def test_bad_versions(store: ArtifactStore) -> None:
    """Ids, ranges, tokens and paths are checked before a store is asked."""
    folder = ArtifactFolder(store, "run")
    folder.put("a", [b"1"])
    folder.put("b", [b"1"])
    folder.put("b", [b"2"])
    token = folder.versions("b", limit=1).next
    assert token is not None
    with pytest.raises(InvalidRequest):
        folder.versions("a", page_token=token)
    with pytest.raises(NotFound):
        folder.get_version("a", "../b")
    for version in ("\0", "\ud800"):
        with pytest.raises(InvalidRequest):
            folder.get_version("a", version)
    with pytest.raises(LimitExceeded):
        folder.get_version("a", "x" * 2_000)
    with pytest.raises(InvalidRequest):
        folder.get_version("a", "1", -1)
    for path in ("../a", "", "a/%2e%2e/b"):
        with pytest.raises(InvalidRequest):
            folder.versions(path)
        with pytest.raises(InvalidRequest):
            folder.get_version(path, "1")


def test_a_store_without_versions() -> None:
    """Is told apart from a file without versions."""

    class Bare(MemoryArtifactStore):
        scan_versions = None  # type: ignore[assignment]

    with Bare.from_url("memory:") as store:
        folder = ArtifactFolder(store)
        folder.put("a", [b"1"])
        with pytest.raises(Unsupported, match="keeps no versions"):
            folder.versions("a")
        with pytest.raises(Unsupported):
            folder.get_version("a", "1")
