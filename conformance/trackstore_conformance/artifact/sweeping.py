import os
import signal
from collections.abc import Iterator
from time import monotonic, sleep

from trackstore.abilities import SweepsUploads
from trackstore_conformance.artifact.direct import SECONDS
from trackstore_conformance.artifact.files import bytes_of, digest
from trackstore_conformance.artifact.uploads import send, signs_uploads
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.processes import in_a_child
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable
from trackstore_conformance.suites import ArtifactSuite

LONG = 3_600.0
SOON = 15.0
"""Seconds in which what is left has to be old enough: services count in whole ones."""
CHUNK = 1 << 20
CHUNKS = 24
"""More than a store keeps for itself before it sends the first part."""


def sweeps(store: object) -> SweepsUploads:
    if not isinstance(store, SweepsUploads):
        not_applicable("it does not claim SweepsUploads")
    return store


def swept(store: SweepsUploads, folder: str) -> int:
    """Sweep until something was removed, or long enough."""
    end = monotonic() + SOON
    while (found := store.sweep_uploads(folder, 0.0)) == 0 and monotonic() < end:
        sleep(0.1)
    return found


class SweepTests(ArtifactSuite):
    """What is left of uploads that nobody goes on with."""

    __test__ = False

    @rule("A-SWP-01")
    def test_a_sweep_takes_what_is_old_in_its_folder(self, bench: ArtifactBench) -> None:
        """Uploads that were begun later, or in another folder, are finished as if nothing was."""
        store = sweeps(bench.store)
        signer = signs_uploads(bench.second)
        bench.store.put("f/file", [b"1"])
        begun = {path: signer.begin_upload(path, 1, SECONDS) for path in ("f/a", "f/b/c", "fg/a")}
        tags = {path: send(upload, 0, path.encode()) for path, upload in begun.items()}
        assert store.sweep_uploads("", LONG) == 0
        signer.finish_upload("f/b/c", begun["f/b/c"].id, [tags["f/b/c"]])
        assert swept(store, "f") == 1
        assert store.sweep_uploads("f", 0.0) == 0
        found = outcome(signer.finish_upload, "f/a", begun["f/a"].id, [tags["f/a"]])
        assert found.ways == ("NotFound",)
        signer.finish_upload("fg/a", begun["fg/a"].id, [tags["fg/a"]])
        assert bench.paths() == ["f/b/c", "f/file", "fg/a"]
        assert bench.read("fg/a") == b"fg/a"

    @rule("A-SWP-01")
    def test_a_sweep_leaves_a_put_that_is_under_way(self, bench: ArtifactBench) -> None:
        """However large the file is, and whatever was sent of it already."""
        store, whole = sweeps(bench.second), bytes_of(CHUNKS * CHUNK)

        def chunks() -> Iterator[bytes]:
            for at in range(0, len(whole), CHUNK):
                yield whole[at : at + CHUNK]
                if at % (8 * CHUNK) == 0:
                    assert store.sweep_uploads("", LONG) == 0

        bench.store.put("f/a", chunks())
        assert digest(bench.read("f/a")) == digest(whole)

    @rule("A-SWP-01", kind="crash", needs=["processes"])
    def test_a_sweep_takes_what_a_killed_put_has_left(self, bench: ArtifactBench) -> None:
        """And the file can be put as if that had never been."""
        store = sweeps(bench.store)

        def killed() -> Iterator[bytes]:
            yield from (bytes(CHUNK) for _ in range(CHUNKS))
            os.kill(os.getpid(), signal.SIGKILL)

        def put() -> None:
            bench.second.put("f/a", killed())

        assert in_a_child(put) == b"", "it was not killed"
        bench.evidence.crash_points += 1
        assert bench.paths() == []
        assert store.sweep_uploads("", LONG) == 0
        if swept(store, "f") == 0:
            not_applicable("a put that is killed leaves nothing to sweep")
        assert store.sweep_uploads("", 0.0) == 0
        bench.store.put("f/a", [b"1"])
        assert bench.read("f/a") == b"1"
