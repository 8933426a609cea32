from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random

import pytest

from trackstore.errors import TrackstoreError
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.claims import replaces
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import ArtifactSuite

SIZES = (0, 1, 4_095, 4_096, 4_097, 1 << 20, (5 << 20) + 1)
RANGES = ((0, None), (0, 5), (99_999, None), (200_000, None), (7, 0))
LARGE = 4 << 20


def bytes_of(size: int, seed: int = 0) -> bytes:
    """Return bytes in which hardly a part is like another; another seed gives others."""
    return Random(seed).randbytes(size)


def digest(whole: bytes) -> tuple[int, str]:
    """Return what files are compared by: pytest explains how two differ, at length, for minutes."""
    return len(whole), sha256(whole).hexdigest()


def in_chunks(whole: bytes, size: int) -> Iterator[bytes]:
    yield b""
    for at in range(0, len(whole), size):
        yield whole[at : at + size]
        yield b""


def listings(bench: ArtifactBench) -> list[list[str]]:
    """Return the paths that a deep and a shallow listing have."""
    shallow = bench.second.scan("", None, 9, deep=False).items
    return [bench.paths(), [info.path for info in shallow]]


class Stop(Exception):
    """What a source of chunks fails with."""


class FileTests(ArtifactSuite):
    __test__ = False

    @rule("A-PUT-01")
    def test_what_was_put_is_got(self, bench: ArtifactBench) -> None:
        """Files of any size come back byte for byte, whatever chunks they came in."""
        for number, size in enumerate(SIZES):
            whole = bytes_of(size, number)
            for way, chunk in enumerate((size or 1, 1 + size // 3, 65_536)):
                path = f"folder/{size}-{way}.bin"
                info = bench.store.put(path, in_chunks(whole, chunk))
                assert (info.path, info.size, info.is_folder) == (path, size, False)
                assert seen(bench.second.stat(path)) == seen(info)
                assert digest(b"".join(bench.second.get(path))) == digest(whole)

    @rule("A-PUT-05")
    def test_a_put_replaces_what_was_there(self, bench: ArtifactBench) -> None:
        """A shorter, a longer and an empty file each replace the one before."""
        for whole in (b"first and long", b"2", b"", b"and the last"):
            bench.store.put("a", [whole])
            assert digest(b"".join(bench.second.get("a"))) == digest(whole)
            assert bench.second.stat("a").size == len(whole)
        assert bench.paths() == ["a"]

    @rule("A-PUT-04")
    def test_if_absent_never_replaces(self, bench: ArtifactBench) -> None:
        """It writes a file that is not there, and raises `AlreadyExists` for one that is."""
        bench.store.put("a", [b"1"], if_absent=True)
        found = outcome(bench.second.put, "a", [b"2"], if_absent=True)
        assert found.ways == ("AlreadyExists path",)
        assert bench.read("a") == b"1"
        bench.store.delete("a")
        bench.second.put("a", [b"3"], if_absent=True)
        assert bench.read("a") == b"3"

    @rule("A-PUT-02")
    def test_a_file_is_seen_whole_or_not_at_all(self, bench: ArtifactBench) -> None:
        """In the midst of a put readers and listings see nothing of the file."""
        new = bytes_of(LARGE, 2)

        def watched() -> Iterator[bytes]:
            for chunk in in_chunks(new, 1 << 20):
                yield chunk
                assert listings(bench) == [[], []]
                assert outcome(bench.second.get, "a").ways == ("NotFound",)
                assert outcome(bench.second.stat, "a").ways == ("NotFound",)

        bench.store.put("a", watched())
        assert digest(bench.read("a")) == digest(new)

    @rule("A-PUT-02", needs=["overwrite"])
    def test_a_file_that_is_replaced_is_seen_as_it_was(self, bench: ArtifactBench) -> None:
        """In the midst of an overwrite readers and listings see the file that was there before."""
        old, new = bytes_of(LARGE, 1), bytes_of(LARGE, 2)

        def watched() -> Iterator[bytes]:
            for chunk in in_chunks(new, 1 << 20):
                yield chunk
                assert listings(bench) == [["a"], ["a"]]
                assert digest(b"".join(bench.second.get("a"))) == digest(old)
                assert bench.second.stat("a").size == len(old)

        bench.store.put("a", [old])
        bench.store.put("a", watched())
        assert digest(bench.read("a")) == digest(new)

    @rule("A-PUT-06")
    def test_a_put_that_fails_leaves_nothing(self, bench: ArtifactBench) -> None:
        """What the source of chunks raises passes through, and the old file stays."""

        def broken() -> Iterator[bytes]:
            yield bytes_of(LARGE)
            raise Stop

        with pytest.raises(Stop):
            bench.store.put("folder/a", broken())
        assert bench.paths() == []
        assert outcome(bench.store.stat, "folder").ways == ("NotFound",)
        bench.store.put("a", [b"old"])
        for if_absent in (False, True):
            with pytest.raises((Stop, TrackstoreError)):
                bench.store.put("a", broken(), if_absent=if_absent)
        assert bench.read("a") == b"old"
        assert bench.paths() == ["a"]

    @rule("A-GET-01")
    def test_a_range_is_a_slice(self, bench: ArtifactBench) -> None:
        """Any start and length, at and beyond the end too, give what a slice gives."""
        whole = bytes_of((1 << 20) + 77)
        bench.store.put("a", [whole])
        size = len(whole)
        starts = (0, 1, 65_535, 65_536, 1 << 20, size - 1, size, size + 1, size * 2)
        for start in starts:
            for length in (None, 0, 1, 77, 65_536, size, size * 2):
                end = size if length is None else start + length
                found = b"".join(bench.second.get("a", start, length))
                assert digest(found) == digest(whole[start:end]), (start, length)

    @rule("A-GET-02", needs=["overwrite"])
    def test_a_reader_says_how_large_the_file_is(self, bench: ArtifactBench) -> None:
        """Its size is that of the version it reads, whole, whatever range is read of it."""
        bench.store.put("a", [bytes_of(100_000)])
        readers = [bench.second.get("a", start, length) for start, length in RANGES]
        bench.store.put("a", [b"shorter"])
        assert [reader.size for reader in readers] == [100_000] * len(RANGES)
        for reader in readers:
            reader.close()
            reader.close()
        assert bench.second.get("a").size == len(b"shorter")

    @rule("A-GET-01")
    def test_a_missing_file_is_not_found_before_the_first_chunk(self, bench: ArtifactBench) -> None:
        """`get` itself raises, for a file and for a folder; so does `stat` for what is missing."""
        bench.store.put("folder/a", [b"1"])
        for path in ("b", "folder", "folder/b", "folder/a/c", "fold", "folder/a "):
            assert outcome(bench.second.get, path).ways == ("NotFound",), path
        for path in ("b", "folder/b", "folder/a/c", "fold"):
            assert outcome(bench.second.stat, path).ways == ("NotFound",), path
        assert bench.second.stat("folder").is_folder
        assert bench.second.stat("folder").size is None

    @rule("A-GET-02")
    def test_chunks_are_of_one_version(self, bench: ArtifactBench) -> None:
        """A file that is replaced or deleted while it is read is read as it was, or not on."""
        old, new = bytes_of(LARGE, 1), bytes_of(LARGE, 2)
        changes: list[Callable[[], object]] = [lambda: bench.second.delete("a")]
        if replaces(bench.store):
            changes.insert(0, lambda: bench.second.put("a", [new]))
        for change in changes:
            bench.store.put("a", [old])
            chunks = iter(bench.store.get("a"))
            first = next(chunks)
            change()
            try:
                rest = b"".join(chunks)
            except TrackstoreError:
                continue
            assert digest(first + rest) == digest(old)

    @rule("A-GET-02")
    def test_a_get_that_is_not_finished_harms_nothing(self, bench: ArtifactBench) -> None:
        """Readers may stop in the middle; the file can be read, replaced and deleted after."""
        bench.store.put("a", [bytes_of(LARGE)])
        for _ in range(20):
            reader = bench.store.get("a")
            assert next(reader)
            reader.close()
        if replaces(bench.store):
            bench.store.put("a", [b"new"])
            assert bench.read("a") == b"new"
        bench.store.delete("a")
        assert bench.paths() == []

    @rule("A-DEL-01")
    def test_a_deleted_file_is_gone(self, bench: ArtifactBench) -> None:
        """Deleting it again, or what never was, is no error; others stay."""
        for path in ("a", "ab", "folder/a", "folder/b", "folder2/a"):
            bench.store.put(path, [path.encode()])
        bench.second.delete("a")
        bench.second.delete("a")
        bench.second.delete("never/was")
        assert outcome(bench.store.get, "a").ways == ("NotFound",)
        assert bench.paths() == ["ab", "folder/a", "folder/b", "folder2/a"]
        bench.store.put("a", [b"again"])
        assert bench.read("a") == b"again"

    @rule("A-DEL-01")
    def test_a_deleted_folder_takes_all_that_is_in_it(self, bench: ArtifactBench) -> None:
        """And nothing else, however alike the names are."""
        inside = ["f/a", "f/b/c", "f/b/d/e"]
        outside = ["f-b", "f.b", "f2/a", "g/f/a", "F/a"]
        for path in inside + outside:
            bench.store.put(path, [b"1"])
        bench.second.delete("f/b")
        assert bench.paths("f") == ["f/a"]
        bench.second.delete("f")
        assert bench.paths() == sorted(outside)
        assert outcome(bench.store.stat, "f").ways == ("NotFound",)
        bench.store.put("f", [b"a file now"])
        assert bench.read("f") == b"a file now"
