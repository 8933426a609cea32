from collections.abc import Callable
from typing import Any

from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.processes import in_a_child, open_descriptors
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import ArtifactSuite

CHUNKS = (bytes(8_192), bytes(3_000))


class ArtifactHandleTests(ArtifactSuite):
    """Closing, forking and dying."""

    __test__ = False

    @rule("A-CON-01")
    def test_a_closed_artifact_store_refuses_every_call(self, bench: ArtifactBench) -> None:
        """Closing twice is harmless, each method then raises `InvalidState`, others stay open."""
        bench.store.put("a", [b"1"])
        bench.second.stat("a")
        bench.second.close()
        bench.second.close()
        calls: list[Callable[[], Any]] = [
            lambda: bench.second.put("b", [b"1"]),
            lambda: bench.second.get("a"),
            lambda: bench.second.stat("a"),
            lambda: bench.second.scan("", None, 1, deep=True),
            lambda: bench.second.delete("a"),
        ]
        assert [outcome(call).ways for call in calls] == [("InvalidState",)] * len(calls)
        with bench.open() as store:
            assert b"".join(store.get("a")) == b"1"
        assert outcome(store.get, "a").ways == ("InvalidState",)
        assert bench.read("a") == b"1"

    @rule("A-CON-01", needs=["untouched"])
    def test_an_artifact_store_is_opened_by_its_first_call(self, bench: ArtifactBench) -> None:
        """Opening leaves no trace; reading and listing an untouched store find nothing."""
        bench.open()
        assert list(bench.folder.iterdir()) == []
        assert bench.paths() == bench.paths(deep=False) == []
        assert outcome(bench.store.get, "a").ways == ("NotFound",)
        bench.store.delete("a")

    @rule("A-CON-01", needs=["processes"])
    def test_an_artifact_store_survives_a_fork(self, bench: ArtifactBench) -> None:
        """Parent and child both go on with the handle, and see what the other wrote."""
        bench.store.put("parent", [b"1"])

        def use_in_child() -> None:
            assert bench.read("parent") == b"1"
            bench.store.put("child", [b"2"])

        assert in_a_child(use_in_child) == b"ok"
        assert bench.read("child") == b"2"
        assert bench.paths() == ["child", "parent"]

    @rule("A-CON-01")
    def test_closing_an_artifact_store_gives_back_every_descriptor(
        self, bench: ArtifactBench
    ) -> None:
        """Handles that are used and closed, one after another, leave no file or socket open."""
        bench.store.put("f/a", CHUNKS)
        before = open_descriptors()
        for number in range(30):
            with bench.opener(bench.url) as store:
                store.put(f"f/{number}", CHUNKS)
                assert list(store.get(f"f/{number}"))
                store.scan("", None, 5, deep=True)
        assert open_descriptors() <= before
