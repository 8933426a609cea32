from trackstore_conformance.bench import BackendBench
from trackstore_conformance.concurrent.batches import BATCHES
from trackstore_conformance.concurrent.engine import check
from trackstore_conformance.concurrent.lifecycle import LIFECYCLE
from trackstore_conformance.concurrent.names import GET_OR_CREATE, NAMES
from trackstore_conformance.concurrent.paging import PAGING
from trackstore_conformance.concurrent.params import PARAMS
from trackstore_conformance.concurrent.points import POINTS
from trackstore_conformance.concurrent.tags import TAGS
from trackstore_conformance.concurrent.updates import UPDATES
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite


class ConcurrencyTests(BackendSuite):
    """Generated programs of eight clients, whose histories are judged.

    Each is run by threads, four on each of two handles, and by processes with a handle each
    unless the store is ephemeral.
    """

    __test__ = False

    @rule(*NAMES.rules, kind="conc")
    def test_threads_that_claim_a_name(self, bench: BackendBench) -> None:
        """Of those that create, rename and restore into one name, one succeeds."""
        check(bench, NAMES, "threads")

    @rule(*NAMES.rules, kind="conc", needs=["processes"])
    def test_processes_that_claim_a_name(self, bench: BackendBench) -> None:
        """Of those that create, rename and restore into one name, one succeeds."""
        check(bench, NAMES, "processes")

    @rule(*GET_OR_CREATE.rules, kind="conc")
    def test_threads_that_get_or_create(self, bench: BackendBench) -> None:
        """All get the same experiment."""
        check(bench, GET_OR_CREATE, "threads")

    @rule(*GET_OR_CREATE.rules, kind="conc", needs=["processes"])
    def test_processes_that_get_or_create(self, bench: BackendBench) -> None:
        """All get the same experiment."""
        check(bench, GET_OR_CREATE, "processes")

    @rule(*PARAMS.rules, kind="conc")
    def test_threads_that_write_a_param(self, bench: BackendBench) -> None:
        """One value wins, others are a `Conflict`, and of their batches nothing is stored."""
        check(bench, PARAMS, "threads")

    @rule(*PARAMS.rules, kind="conc", needs=["processes"])
    def test_processes_that_write_a_param(self, bench: BackendBench) -> None:
        """One value wins, others are a `Conflict`, and of their batches nothing is stored."""
        check(bench, PARAMS, "processes")

    @rule(*TAGS.rules, kind="conc")
    def test_threads_that_write_a_tag(self, bench: BackendBench) -> None:
        """A tag is read as somebody wrote it, and never as it was before."""
        check(bench, TAGS, "threads")

    @rule(*TAGS.rules, kind="conc", needs=["processes"])
    def test_processes_that_write_a_tag(self, bench: BackendBench) -> None:
        """A tag is read as somebody wrote it, and never as it was before."""
        check(bench, TAGS, "processes")

    @rule(*POINTS.rules, kind="conc")
    def test_threads_that_add_points(self, bench: BackendBench) -> None:
        """No point is lost or doubled, and the latest one never goes back."""
        check(bench, POINTS, "threads")

    @rule(*POINTS.rules, kind="conc", needs=["processes"])
    def test_processes_that_add_points(self, bench: BackendBench) -> None:
        """No point is lost or doubled, and the latest one never goes back."""
        check(bench, POINTS, "processes")

    @rule(*UPDATES.rules, kind="conc")
    def test_threads_that_change_one_run(self, bench: BackendBench) -> None:
        """No change undoes another, and whoever reads sees what was completed."""
        check(bench, UPDATES, "threads")

    @rule(*UPDATES.rules, kind="conc", needs=["processes"])
    def test_processes_that_change_one_run(self, bench: BackendBench) -> None:
        """No change undoes another, and whoever reads sees what was completed."""
        check(bench, UPDATES, "processes")

    @rule(*BATCHES.rules, kind="conc")
    def test_threads_that_read_while_batches_are_written(self, bench: BackendBench) -> None:
        """A reader sees all of a batch or nothing of it, in a run, a scan and a history."""
        check(bench, BATCHES, "threads")

    @rule(*BATCHES.rules, kind="conc", needs=["processes"])
    def test_processes_that_read_while_batches_are_written(self, bench: BackendBench) -> None:
        """A reader sees all of a batch or nothing of it, in a run, a scan and a history."""
        check(bench, BATCHES, "processes")

    @rule(*LIFECYCLE.rules, kind="conc")
    def test_threads_that_write_while_a_run_is_deleted(self, bench: BackendBench) -> None:
        """What was accepted is there, and what was refused left nothing."""
        check(bench, LIFECYCLE, "threads")

    @rule(*LIFECYCLE.rules, kind="conc", needs=["processes"])
    def test_processes_that_write_while_a_run_is_deleted(self, bench: BackendBench) -> None:
        """What was accepted is there, and what was refused left nothing."""
        check(bench, LIFECYCLE, "processes")

    @rule(*PAGING.rules, kind="conc")
    def test_threads_that_walk_a_list_while_rows_come_and_go(self, bench: BackendBench) -> None:
        """What is there throughout is on one page, and nothing is on two."""
        check(bench, PAGING, "threads")

    @rule(*PAGING.rules, kind="conc", needs=["processes"])
    def test_processes_that_walk_a_list_while_rows_come_and_go(self, bench: BackendBench) -> None:
        """What is there throughout is on one page, and nothing is on two."""
        check(bench, PAGING, "processes")
