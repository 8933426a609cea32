from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.crash.artifact_work import ALL, DELETIONS, FIRST_START, LARGE, PUTS
from trackstore_conformance.crash.artifacts import ARTIFACTS
from trackstore_conformance.crash.disks import fail_at_every_write, fill_now_and_then
from trackstore_conformance.crash.engine import (
    kill_again_in_recovery,
    kill_at_every_write,
    kill_at_random,
)
from trackstore_conformance.crash.power import lose_power
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import ArtifactSuite


class ArtifactCrashTests(ArtifactSuite):
    """Processes that are killed in the midst of their work; another one then opens the store.

    It must hold what was acknowledged, nothing of a file that was on its way, and take it again.
    """

    __test__ = False

    @rule("A-PUT-06", "A-DUR-01", "A-DUR-03", kind="crash", needs=["processes"])
    def test_a_put_that_is_killed_at_a_write(self, bench: ArtifactBench) -> None:
        """New, in the place of an old one or if absent, at each system call that matters."""
        kill_at_every_write(bench, ARTIFACTS, PUTS)

    @rule("A-DUR-01", "A-PUT-06", "A-DUR-03", kind="crash", needs=["processes"])
    def test_a_deletion_that_is_killed_at_a_write(self, bench: ArtifactBench) -> None:
        """Of a file or a folder: what is left of it is whole, and can be deleted and put again."""
        kill_at_every_write(bench, ARTIFACTS, DELETIONS)

    @rule("A-DUR-01", "A-PUT-06", "A-DUR-03", kind="crash", needs=["processes"])
    def test_the_first_put_of_a_store_is_killed_at_a_write(self, bench: ArtifactBench) -> None:
        """The next process finds the store, or makes it, and goes on."""
        kill_at_every_write(bench, ARTIFACTS, FIRST_START)

    @rule("A-PUT-06", "A-DUR-01", "A-DUR-03", kind="crash", needs=["processes"])
    def test_a_put_after_a_kill_is_killed_too(self, bench: ArtifactBench) -> None:
        """The process that opens the store after a kill is killed as well, and then the next."""
        kill_again_in_recovery(bench, ARTIFACTS, PUTS)

    @rule("A-DUR-02", kind="crash", needs=["processes", "untouched"])
    def test_files_survive_a_loss_of_power(self, bench: ArtifactBench) -> None:
        """What was not synced is lost: bytes, names, or both."""
        for work in (PUTS, DELETIONS):
            lose_power(bench, ARTIFACTS, work)

    @rule("A-DUR-04", kind="fault", needs=["processes"])
    def test_a_disk_that_fails_once_costs_no_artifact(self, bench: ArtifactBench) -> None:
        """At each system call that changes something: the call fails alone, and says how."""
        for work in (PUTS, DELETIONS):
            fail_at_every_write(bench, ARTIFACTS, work)

    @rule("A-DUR-04", kind="fault", needs=["processes"])
    def test_a_disk_that_is_full_for_a_while_costs_no_artifact(self, bench: ArtifactBench) -> None:
        """Each call is refused or done, and works when there is room again, by the same handle."""
        for work in (PUTS, DELETIONS):
            fill_now_and_then(bench, ARTIFACTS, work)

    @rule("A-DUR-01", "A-PUT-06", "A-DUR-03", kind="crash", needs=["processes"])
    def test_files_that_were_acknowledged_survive_a_kill(self, bench: ArtifactBench) -> None:
        """Put or deleted, at random moments, half of them while another handle is open."""
        kill_at_random(bench, ARTIFACTS, ALL)

    @rule("A-PUT-06", "A-DUR-01", "A-DUR-03", kind="crash", needs=["processes"])
    def test_a_killed_put_leaves_nothing(self, bench: ArtifactBench) -> None:
        """Of a large file, new or in the place of an old one, at random moments."""
        kill_at_random(bench, ARTIFACTS, [LARGE])
