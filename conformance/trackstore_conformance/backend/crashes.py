from trackstore_conformance.bench import BackendBench
from trackstore_conformance.crash.backend import BACKEND
from trackstore_conformance.crash.backend_work import (
    ALL,
    BATCHES,
    CHANGES,
    CREATIONS,
    FIRST_START,
)
from trackstore_conformance.crash.disks import fail_at_every_write, fill_now_and_then
from trackstore_conformance.crash.engine import (
    kill_again_in_recovery,
    kill_at_every_write,
    kill_at_random,
)
from trackstore_conformance.crash.power import lose_power
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite


class CrashTests(BackendSuite):
    """Processes that are killed in the midst of their work; another one then opens the store.

    It must hold what was acknowledged, and the call that was cut whole or not at all, and take
    the writes that were left to be done.
    """

    __test__ = False

    @rule("B-BAT-03", "B-DUR-01", "B-DUR-03", kind="crash", needs=["processes"])
    def test_a_batch_that_is_killed_at_a_write_is_whole_or_absent(
        self, bench: BackendBench
    ) -> None:
        """At each system call of a series of batches that changes something on the disk."""
        kill_at_every_write(bench, BACKEND, BATCHES, least=16)

    @rule("B-DUR-01", "B-BAT-03", "B-DUR-03", kind="crash", needs=["processes"])
    def test_creations_that_are_killed_at_a_write(self, bench: BackendBench) -> None:
        """Experiments and runs, at each system call that changes something on the disk."""
        kill_at_every_write(bench, BACKEND, CREATIONS)

    @rule("B-DUR-01", "B-BAT-03", "B-DUR-03", kind="crash", needs=["processes"])
    def test_changes_that_are_killed_at_a_write(self, bench: BackendBench) -> None:
        """Renames, deletions, restorations and purges, at each system call that matters."""
        kill_at_every_write(bench, BACKEND, CHANGES)

    @rule("B-DUR-03", "B-DUR-01", "B-BAT-03", kind="crash", needs=["processes"])
    def test_a_first_start_that_is_killed_at_a_write(self, bench: BackendBench) -> None:
        """The next process makes the schema, or finds it, and goes on."""
        kill_at_every_write(bench, BACKEND, FIRST_START)

    @rule("B-DUR-03", "B-DUR-01", "B-BAT-03", kind="crash", needs=["processes"])
    def test_a_recovery_that_is_killed_too(self, bench: BackendBench) -> None:
        """The process that opens the store after a kill is killed as well, and then the next."""
        kill_again_in_recovery(bench, BACKEND, BATCHES)

    @rule("B-DUR-02", kind="crash", needs=["processes", "untouched"])
    def test_what_was_acknowledged_survives_a_loss_of_power(self, bench: BackendBench) -> None:
        """What was not synced is lost: bytes, names, or both."""
        for work in (BATCHES, CHANGES):
            lose_power(bench, BACKEND, work)

    @rule("B-DUR-04", "B-ERR-02", kind="fault", needs=["processes"])
    def test_a_disk_that_fails_once_costs_nothing(self, bench: BackendBench) -> None:
        """At each system call that changes something: the call fails alone, and says how."""
        fail_at_every_write(bench, BACKEND, BATCHES)

    @rule("B-DUR-04", "B-ERR-02", kind="fault", needs=["processes"])
    def test_a_disk_that_fails_at_the_first_start_costs_nothing(self, bench: BackendBench) -> None:
        """A schema that could not be made is made by the next call."""
        fail_at_every_write(bench, BACKEND, FIRST_START)

    @rule("B-DUR-04", "B-ERR-02", kind="fault", needs=["processes"])
    def test_a_disk_that_is_full_for_a_while_costs_nothing(self, bench: BackendBench) -> None:
        """Each call is refused or done, and works when there is room again, by the same handle."""
        for work in (BATCHES, CHANGES):
            fill_now_and_then(bench, BACKEND, work)

    @rule("B-DUR-01", "B-BAT-03", "B-DUR-03", kind="crash", needs=["processes"])
    def test_what_was_acknowledged_survives_a_kill(self, bench: BackendBench) -> None:
        """Whatever the work, at random moments, half of them while another handle is open."""
        kill_at_random(bench, BACKEND, ALL)
