from collections.abc import Callable
from math import nan
from typing import Any

from trackstore.abilities import Upgrades
from trackstore.model import Batch, Experiment, Metric, SchemaChange
from trackstore.stores import BackendStore
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.concurrent.races import WORKERS, race_processes, race_threads
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable
from trackstore_conformance.suites import BackendSuite


class FirstStartTests(BackendSuite):
    """Many open a store that is not there yet: eight threads, or eight processes."""

    __test__ = False

    @rule("B-MIG-02", kind="conc", needs=["untouched"])
    def test_threads_that_start_on_a_new_store(self, bench: BackendBench) -> None:
        """All succeed, and each finds what the others did."""
        handles = [bench.store, bench.second]
        check_start(bench, race_threads(handles, create_own))

    @rule("B-MIG-02", kind="conc", needs=["processes", "untouched"])
    def test_processes_that_start_on_a_new_store(self, bench: BackendBench) -> None:
        """All succeed, and each finds what the others did; three new stores in turn."""
        for _ in range(3):
            check_start(bench, race_processes(bench.opener, bench.url, create_own))
            bench.move()

    @rule("B-MIG-03")
    def test_an_upgrade_leaves_what_is_stored(self, bench: BackendBench) -> None:
        """Of a store in use, twice, by another handle; all three say which schema there is."""
        before = that_upgrades(bench.store).upgrade()
        run = bench.run()
        bench.store.log(run.id, Batch([Metric("m", nan, 1, 2)], {"p": "x"}, {"t": "y"}))
        expected = seen(bench.store.get_run(run.id))
        after = [that_upgrades(bench.second).upgrade() for _ in range(2)]
        assert after == [SchemaChange(before.after, before.after)] * 2
        assert seen(bench.store.get_run(run.id)) == expected
        assert seen(bench.second.get_run(run.id)) == expected

    @rule("B-MIG-03", needs=["untouched"])
    def test_an_upgrade_makes_a_new_store(self, bench: BackendBench) -> None:
        """It says that there was none before, and the store is ready."""
        change = that_upgrades(bench.store).upgrade()
        assert change.before is None
        assert that_upgrades(bench.second).upgrade() == SchemaChange(change.after, change.after)
        assert bench.experiments() == []

    @rule("B-MIG-03", kind="conc", needs=["processes", "untouched"])
    def test_many_upgrade_a_new_store(self, bench: BackendBench) -> None:
        """Eight processes at once: all succeed, and one of them made it."""
        that_upgrades(bench.store)
        ways = race_processes(bench.opener, bench.url, upgrade_and_tell)
        made = [way for way in ways if way.startswith("None")]
        assert len(made) == 1, ways
        assert len({way.split()[-1] for way in ways}) == 1, ways


def that_upgrades(store: BackendStore) -> Upgrades:
    """Return a store that offers to; otherwise the rule does not bind it, and the test ends."""
    if not isinstance(store, Upgrades):
        not_applicable("it does not offer Upgrades")
    return store


def upgrade_and_tell(store: Any, _: int, meet: Callable[[], Any]) -> str:
    meet()
    change = store.upgrade()
    return f"{change.before} {change.after}"


def create_own(store: BackendStore, index: int, _meet: Callable[[], Any]) -> str:
    """Make the first call on a store, and tell how it ended."""
    mine = Experiment(str(100 + index), f"name {index}", "artifacts:/", 0, 0)
    ended = outcome(store.create_experiment, mine)
    return (
        ended.ways[0] if ended.ways == ("ok",) else f"{ended.ways}: {ended.message} ({ended.cause})"
    )


def check_start(bench: BackendBench, ways: list[str]) -> None:
    assert [way for way in ways if way != "ok"] == []
    assert {each.name for each in bench.experiments()} == {f"name {i}" for i in range(WORKERS)}
