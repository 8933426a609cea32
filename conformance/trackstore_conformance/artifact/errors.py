from collections.abc import Callable
from typing import Any

from trackstore_conformance.bench import ArtifactBench, places_of
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import ArtifactSuite


class ArtifactErrorTests(ArtifactSuite):
    """What an artifact store says when it refuses."""

    __test__ = False

    @rule("A-ERR-01")
    def test_refused_files_are_refused_in_few_words(self, bench: ArtifactBench) -> None:
        """A refusal has the outcome "none", says something, and not where the store is."""
        bench.store.put("folder/a", [b"1"])
        calls: list[tuple[Callable[..., Any], str]] = [
            (call, path)
            for call in (bench.store.get, bench.store.stat)
            for path in ("no such file", "folder/b", "folder/a/below", "x" * 255)
        ]
        calls.append((bench.store.get, "folder"))
        if bench.store.guarantees.create_only != "none":
            calls.append((lambda path: bench.store.put(path, [b""], if_absent=True), "folder/a"))
        for call, path in calls:
            refusal = outcome(call, path)
            assert refusal.message, path
            assert "outcome" not in refusal.ways[0], path
            assert not [place for place in places_of(bench) if place in refusal.message], refusal

    @rule("A-ERR-01")
    def test_an_artifact_handle_shows_no_place(self, bench: ArtifactBench) -> None:
        """What a handle is shown as, in a log or a debugger, holds no URL."""
        with bench.opener(bench.url) as handle:
            for shown in (repr(handle), str(handle)):
                assert not [place for place in places_of(bench) if place in shown]
