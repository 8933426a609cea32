from collections.abc import Iterator
from pathlib import Path

import pytest

from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder, Artifacts
from trackstore.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    TrackstoreError,
)
from trackstore.model import ArtifactInfo
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactReader


@pytest.fixture
def artifacts(tmp_path: Path) -> Iterator[Artifacts]:
    with Artifacts(str(tmp_path / "store")) as front:
        yield front


@pytest.fixture
def folder(artifacts: Artifacts) -> ArtifactFolder:
    return artifacts.at("mlflow-artifacts:/1/run/artifacts")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def bytes_of(folder: ArtifactFolder, path: str) -> bytes:
    return b"".join(folder.get(path))


def test_store_is_opened_once(artifacts: Artifacts) -> None:
    """All folders below one root share a store: a private one holds all their files."""
    with Artifacts("memory:") as front:
        front.at("mlflow-artifacts:/1").put("a/x", [b"1"])
        assert bytes_of(front.at("mlflow-artifacts:/1/a"), "x") == b"1"


def test_closed(artifacts: Artifacts, folder: ArtifactFolder) -> None:
    """After `close`, which may be repeated, nothing answers."""
    artifacts.close()
    artifacts.close()
    with pytest.raises(InvalidState):
        folder.put("x", [])
    with pytest.raises(InvalidState):
        artifacts.at("mlflow-artifacts:/")


@pytest.mark.parametrize(
    "path", ["../x", "%2e%2e/x", "/x", "a//b", "a\\b", "C:/x", "~/x", "a\0", ".", "a/"]
)
def test_every_verb_checks_its_path(folder: ArtifactFolder, tmp_path: Path, path: str) -> None:
    """A-PTH-02: no verb takes a path that another would refuse, and nothing happens."""
    local = tmp_path / "local"
    local.write_bytes(b"1")
    verbs = (
        lambda: folder.put(path, [b"1"]),
        lambda: folder.get(path),
        lambda: folder.stat(path),
        lambda: folder.list(path),
        lambda: list(folder.walk(path)),
        lambda: folder.delete(path),
        lambda: folder.upload(local, path),
        lambda: folder.upload(tmp_path, path),
        lambda: folder.download(path, tmp_path / "out"),
    )
    for verb in verbs:
        with pytest.raises(InvalidRequest):
            verb()
    assert names_in(tmp_path) == ["local"]


def test_paths_are_relative(folder: ArtifactFolder, artifacts: Artifacts) -> None:
    """A folder's paths, given and returned, are its own."""
    assert folder.put("a/b", [b"12", b"3"]) == ArtifactInfo("a/b", 3)
    assert folder.stat("a/b") == ArtifactInfo("a/b", 3)
    assert folder.stat("a") == ArtifactInfo("a", is_folder=True)
    assert folder.list().items == [ArtifactInfo("a", is_folder=True)]
    assert folder.list("a").items == [ArtifactInfo("a/b", 3)]
    assert list(folder.walk()) == [ArtifactInfo("a/b", 3)]
    assert b"".join(folder.get("a/b", 1, 1)) == b"2"
    assert bytes_of(artifacts.at("mlflow-artifacts:/1"), "run/artifacts/a/b") == b"123"


def test_negative_range(folder: ArtifactFolder) -> None:
    """A-GET-01: a range that begins or is less than 0 is refused."""
    folder.put("a", [b"123"])
    for start, length in ((-1, None), (0, -1)):
        with pytest.raises(InvalidRequest):
            folder.get("a", start, length)


@pytest.mark.parametrize("chunks", [[b"12"], [b"12", b"34"], [], [b"1234567"]])
def test_wrong_length(folder: ArtifactFolder, chunks: list[bytes]) -> None:
    """A-PUT-06: an upload with fewer or more bytes than announced publishes nothing."""
    with pytest.raises(InvalidRequest):
        folder.put("new", chunks, length=3)
    folder.put("old", [b"old"], length=3)
    with pytest.raises(InvalidRequest):
        folder.put("old", chunks, length=3)
    assert [info.path for info in folder.walk()] == ["old"]
    assert bytes_of(folder, "old") == b"old"


def test_too_many_bytes_are_not_read(folder: ArtifactFolder) -> None:
    """An endless upload is cut off at its announced length."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x"

    with pytest.raises(InvalidRequest):
        folder.put("a", endless(), length=10)


def test_create_only(folder: ArtifactFolder) -> None:
    """A-PUT-04: `if_absent` never replaces a file."""
    folder.put("a", [b"1"], if_absent=True)
    with pytest.raises(AlreadyExists) as caught:
        folder.put("a", [b"2"], if_absent=True)
    assert caught.value.field == "path"
    assert bytes_of(folder, "a") == b"1"


def test_pages(folder: ArtifactFolder) -> None:
    """A-LST-03: pages hold each entry once, whatever is written before the cursor."""
    for index in range(25):
        folder.put(f"d/{index:02}", [b""])
    first = folder.list("d", limit=10)
    folder.put("d/00a", [b""])
    second = folder.list("d", limit=10, page_token=first.next)
    third = folder.list("d", limit=10, page_token=second.next)
    seen = [info.path for page in (first, second, third) for info in page.items]
    assert seen == [f"d/{index:02}" for index in range(25)]
    assert third.next is None


def test_page_token_of_another_folder(folder: ArtifactFolder) -> None:
    """A token is good for its own folder only, and any other text is refused."""
    for name in ("d/1", "d/2", "e/1", "e/2"):
        folder.put(name, [b""])
    token = folder.list("d", limit=1).next
    assert token
    for path, bad in (("e", token), ("d", token[:-4]), ("d", "../x"), ("d", "é")):
        with pytest.raises(InvalidRequest):
            folder.list(path, limit=1, page_token=bad)


def test_walk_passes_a_page(folder: ArtifactFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk gives all files below a folder, and none beside it, over as many pages as needed."""
    monkeypatch.setattr("trackstore.folders._WALK_PAGE", 2)
    names = ["a-b", "a/1", "a/b/2", "a/b/3", "a/c", "a0", "ab/x"]
    for name in names:
        folder.put(name, [b""])
    assert [info.path for info in folder.walk()] == names
    assert [info.path for info in folder.walk("a")] == names[1:5]
    assert list(folder.walk("missing")) == []


def test_clear(artifacts: Artifacts, folder: ArtifactFolder) -> None:
    """`clear` takes a folder with all its files, and refuses the root."""
    folder.put("a/b", [b""])
    beside = artifacts.at("mlflow-artifacts:/1/run2/artifacts")
    beside.put("x", [b""])
    folder.clear()
    folder.clear()
    assert list(folder.walk()) == []
    assert bytes_of(beside, "x") == b""
    with pytest.raises(InvalidRequest):
        artifacts.at(PROXIED_ROOT).clear()
    assert bytes_of(beside, "x") == b""


# Local files


def test_upload_and_download_tree(folder: ArtifactFolder, tmp_path: Path) -> None:
    """A tree comes back as it was, wherever it was put."""
    source = tmp_path / "in"
    for name, content in (("x", b"1"), ("sub/y z", b"2" * 3_000_000), ("sub/deep/é", b"")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    (source / "empty").mkdir()
    folder.upload(source)
    folder.upload(str(source), "put/here")
    for path in ("", "put/here"):
        out = tmp_path / f"out{len(path)}"
        folder.download(path, out)
        assert (out / "sub/y z").read_bytes() == b"2" * 3_000_000
        assert sorted(p.name for p in (out / "sub").rglob("*")) == ["deep", "y z", "é"]
    assert not list(tmp_path.glob(".*"))


def test_upload_and_download_file(folder: ArtifactFolder, tmp_path: Path) -> None:
    """A file goes under its own name or the one given, and replaces what it is downloaded to."""
    source = tmp_path / "x.txt"
    source.write_bytes(b"123")
    folder.upload(source)
    folder.upload(source, "a/b")
    assert [info.path for info in folder.walk()] == ["a/b", "x.txt"]
    target = tmp_path / "new/target"
    folder.download("a/b", target)
    source.write_bytes(b"4")
    folder.upload(source, "a/b")
    folder.download("a/b", target)
    assert target.read_bytes() == b"4"


@pytest.mark.parametrize("target", ["secret", "folder", "nowhere", "source/x"])
def test_upload_follows_no_link(folder: ArtifactFolder, tmp_path: Path, target: str) -> None:
    """A link in a tree is refused before anything is written: it may lead anywhere."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "x").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (source / "z").symlink_to(tmp_path / target)
    with pytest.raises(InvalidRequest, match="'z' is a link"):
        folder.upload(source)
    assert list(folder.walk()) == []


def test_upload_checks_all_names_first(folder: ArtifactFolder, tmp_path: Path) -> None:
    """A tree with a name that cannot be an artifact's is refused before anything is written."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b\\c").write_bytes(b"1")
    with pytest.raises(InvalidRequest):
        folder.upload(tmp_path)
    assert list(folder.walk()) == []


def test_missing_local_file(folder: ArtifactFolder, tmp_path: Path) -> None:
    """The user's own file system answers with its own errors."""
    with pytest.raises(FileNotFoundError):
        folder.upload(tmp_path / "missing")
    with pytest.raises(NotFound):
        folder.download("missing", tmp_path / "out")
    assert names_in(tmp_path) == []


class _BrokenFolder(ArtifactFolder):
    """Its second file breaks after the first chunk."""

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        whole = super().get(path, start, length)
        return ArtifactReader(self._broken(whole), whole.size) if path.endswith("2") else whole

    def _broken(self, whole: ArtifactReader) -> Iterator[bytes]:
        yield next(whole)
        raise ConnectionResetError


def test_failed_download_leaves_nothing(artifacts: Artifacts, tmp_path: Path) -> None:
    """A-GET-03: no part of a file or tree is left after a failure, and what was there stays."""
    folder = artifacts.at("mlflow-artifacts:/1")
    folder.put("d/1", [b"new"])
    folder.put("d/2", [b"new"])
    broken = _BrokenFolder(open_artifact_store(str(tmp_path / "store")), "1")
    out = tmp_path / "out"
    out.mkdir()
    (out / "2").write_bytes(b"old")
    with pytest.raises(ConnectionResetError):
        broken.download("d/2", out / "2")
    with pytest.raises(ConnectionResetError):
        broken.download("d", tmp_path / "tree")
    assert (out / "2").read_bytes() == b"old"
    assert names_in(tmp_path) == ["out", "store"]
    assert names_in(out) == ["2"]


def test_download_never_mixes_trees(folder: ArtifactFolder, tmp_path: Path) -> None:
    """A tree goes to a new or an empty folder only."""
    folder.put("d/1", [b"1"])
    (tmp_path / "empty").mkdir()
    folder.download("d", tmp_path / "empty")
    assert names_in(tmp_path / "empty") == ["1"]
    for taken in (tmp_path, tmp_path / "empty/1"):
        with pytest.raises(InvalidRequest):
            folder.download("d", taken)


def test_hostile_names_in_a_store(tmp_path: Path) -> None:
    """A-PTH-02: a store that lists names that lead elsewhere cannot write outside a download."""

    class Hostile(ArtifactFolder):
        def walk(self, path: str = "") -> Iterator[ArtifactInfo]:
            yield ArtifactInfo("../canary", 1)

    with open_artifact_store("memory:") as store, pytest.raises(InvalidRequest):
        Hostile(store).download("", tmp_path / "in/out")
    assert names_in(tmp_path / "in") == []
    assert names_in(tmp_path) == ["in"]


def test_conflicts(folder: ArtifactFolder) -> None:
    """A path is a file or a folder, never both."""
    folder.put("a/b", [b""])
    for path in ("a", "a/b/c"):
        with pytest.raises(Conflict):
            folder.put(path, [b""])
    with pytest.raises(TrackstoreError):
        folder.put("a/b/c/d", [b""], if_absent=True)
