"""What an overwrite keeps, of a store that says it keeps versions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import cast

from trackstore.abilities import KeepsVersions
from trackstore.model import ArtifactVersion
from trackstore_conformance.artifact.files import RANGES, bytes_of, digest
from trackstore_conformance.bench import ArtifactBench, all_rows
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable, not_exercised
from trackstore_conformance.suites import ArtifactSuite

PUTS = 4
"""How often a file is put, so that all but the last are kept by a store that keeps any number."""
MEETING = 2.0
"""Seconds in which writers meet, unless the store lets only one write at a time."""


def versions_of(store: object, path: str, limit: int = 100) -> list[ArtifactVersion]:
    """Return the versions of a file, page after page, the newest first."""
    keeper = cast("KeepsVersions", store)
    return all_rows(lambda after: keeper.scan_versions(path, after, limit))


def read_version(store: object, path: str, version: str) -> bytes:
    return b"".join(cast("KeepsVersions", store).get_version(path, version))


class VersionTests(ArtifactSuite):
    __test__ = False

    def put_again(self, bench: ArtifactBench, path: str, puts: int = PUTS) -> list[bytes]:
        """Put a file again and again, and return what was put, the newest first."""
        if not isinstance(bench.store, KeepsVersions):
            not_applicable("it does not claim KeepsVersions")
        wholes = [bytes_of(1_000 * number, number) for number in range(puts)]
        for number, whole in enumerate(wholes):
            (bench.store, bench.second)[number % 2].put(path, [whole])
            bench.evidence.operations += 1
        if len(versions_of(bench.store, path)) < puts:
            not_exercised(f"it is set to keep fewer than {puts - 1} old versions of a file")
        return wholes[::-1]

    @rule("A-KEP-01", needs=["overwrite"])
    def test_an_overwrite_keeps_what_was_there(self, bench: ArtifactBench) -> None:
        """Byte for byte, with its size, the newest first; and the newest is what `get` reads."""
        wholes = self.put_again(bench, "folder/a")
        for handle in (bench.store, bench.second):
            found = versions_of(handle, "folder/a")
            assert [each.size for each in found] == [len(whole) for whole in wholes]
            assert len({each.id for each in found}) == len(found)
            times = [each.time for each in found]
            assert times == sorted(times, reverse=True)
            for each, whole in zip(found, wholes, strict=True):
                assert digest(read_version(handle, "folder/a", each.id)) == digest(whole)
        assert digest(bench.read("folder/a")) == digest(wholes[0])

    @rule("A-KEP-01", needs=["overwrite"])
    def test_a_version_keeps_its_id(self, bench: ArtifactBench) -> None:
        """What was the newest is found by the same id when it has become an old one."""
        wholes = self.put_again(bench, "a")
        before = versions_of(bench.store, "a")
        bench.second.put("a", [b"newer"])
        after = versions_of(bench.second, "a")
        assert after[1:PUTS] == before[: PUTS - 1]
        assert digest(read_version(bench.store, "a", before[0].id)) == digest(wholes[0])

    @rule("A-KEP-02", needs=["overwrite"])
    def test_a_version_is_read_like_a_file(self, bench: ArtifactBench) -> None:
        """Any range of it is a slice, and its reader tells how large the version is."""
        whole = self.put_again(bench, "a")[1]
        ident = versions_of(bench.store, "a")[1].id
        keeper = cast("KeepsVersions", bench.second)
        for start, length in (*RANGES, (5, 10), (1_500, 1_000), (len(whole), 1)):
            reader = keeper.get_version("a", ident, start, length)
            assert reader.size == len(whole)
            end = None if length is None else start + length
            assert digest(b"".join(reader)) == digest(whole[start:end])

    @rule("A-KEP-02", needs=["overwrite"])
    def test_a_version_is_of_one_file(self, bench: ArtifactBench) -> None:
        """By another path, or another id, however odd, it is not found."""
        self.put_again(bench, "a")
        self.put_again(bench, "folder/a")
        ident = versions_of(bench.store, "a")[1].id
        keeper = cast("KeepsVersions", bench.second)
        odd = ("", "0", ident + "0", "../a", "../../a", f"../a/{ident}", "a", "é", "x" * 1_000)
        for path, version in [*(("a", each) for each in odd), ("folder/a", ident), ("b", ident)]:
            assert outcome(keeper.get_version, path, version).ways == ("NotFound",), (path, version)
        for path in ("never", "never/was", "folder"):
            assert versions_of(bench.store, path) == []

    @rule("A-KEP-02", needs=["overwrite"])
    def test_versions_are_in_pages_and_in_no_listing(self, bench: ArtifactBench) -> None:
        """Pages of any size give the same; folders have the file once."""
        self.put_again(bench, "f/a")
        found = versions_of(bench.store, "f/a")
        for limit in (1, 2, 3, PUTS):
            assert versions_of(bench.second, "f/a", limit) == found
        for deep in (True, False):
            assert bench.paths("f", deep=deep) == ["f/a"]
        assert bench.paths() == ["f/a"]
        bench.store.delete("f/a")
        assert bench.paths() == bench.paths(deep=False) == []

    @rule("A-KEP-03", kind="conc", needs=["overwrite"])
    def test_no_overwrite_is_lost_in_a_race(self, bench: ArtifactBench) -> None:
        """Of writers that put one file at the same moment, all but the last are kept."""
        for number in range(bench.profile.rounds):
            path = f"race{number}/a"
            first = self.put_again(bench, path)[0]
            before = {each.id for each in versions_of(bench.store, path)[1:]}
            meeting = Barrier(PUTS - 1)
            wholes = [b"%d-%d" % (number, writer) * 50 for writer in range(PUTS - 1)]
            with ThreadPoolExecutor(PUTS - 1) as pool:
                for put in [pool.submit(put_together, bench, path, w, meeting) for w in wholes]:
                    put.result()
            found = [each.id for each in versions_of(bench.second, path) if each.id not in before]
            read = sorted(read_version(bench.second, path, each) for each in found)
            assert read == sorted([first, *wholes])
            assert bench.read(path) == read_version(bench.store, path, found[0])
            bench.evidence.histories += 1


def put_together(bench: ArtifactBench, path: str, whole: bytes, meeting: Barrier) -> None:
    def chunks() -> Iterator[bytes]:
        yield whole[:100]
        with suppress(BrokenBarrierError):
            meeting.wait(MEETING)
        yield whole[100:]

    bench.store.put(path, chunks())
