from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.concurrent.engine import check
from trackstore_conformance.concurrent.files import CREATE_ONLY, FILES
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import ArtifactSuite


class ArtifactConcurrencyTests(ArtifactSuite):
    """Generated programs of eight clients, whose histories are judged.

    Each is run by threads, four on each of two handles, and by processes with a handle each
    unless the store is ephemeral.
    """

    __test__ = False

    @rule(*FILES.rules, kind="conc", needs=["overwrite"])
    def test_threads_that_put_and_delete_files(self, bench: ArtifactBench) -> None:
        """Every read gives one whole version, and the last one is one of those put."""
        check(bench, FILES, "threads")

    @rule(*FILES.rules, kind="conc", needs=["processes", "overwrite"])
    def test_processes_that_put_and_delete_files(self, bench: ArtifactBench) -> None:
        """Every read gives one whole version, and the last one is one of those put."""
        check(bench, FILES, "processes")

    @rule(*CREATE_ONLY.rules, kind="conc")
    def test_threads_that_create_a_file(self, bench: ArtifactBench) -> None:
        """Of all that put it if it is absent, one wins, and its bytes are there."""
        check(bench, CREATE_ONLY, "threads")

    @rule(*CREATE_ONLY.rules, kind="conc", needs=["processes"])
    def test_processes_that_create_a_file(self, bench: ArtifactBench) -> None:
        """Of all that put it if it is absent, one wins, and its bytes are there."""
        check(bench, CREATE_ONLY, "processes")
