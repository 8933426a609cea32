from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from msgspec import UNSET

from trackstore.model import (
    Batch,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    RunChanges,
)
from trackstore.stores import CONTRACT, BackendStore, Guarantees
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.concurrent.races import PATIENCE
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.processes import in_a_child, open_descriptors
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite


class HandleTests(BackendSuite):
    """Opening, closing and forking."""

    __test__ = False

    @rule("B-SES-01")
    def test_a_write_is_seen_through_every_handle(self, bench: BackendBench) -> None:
        """Also through one that has read before, and one that is opened later."""
        run = bench.run()
        for number in range(3):
            assert bench.second.get_run(run.id).tags.get("t") == (
                str(number - 1) if number else None
            )
            point = Metric("m", float(number), 0, number)
            bench.store.log(run.id, Batch(tags={"t": str(number)}, metrics=[point]))
            for handle in (bench.store, bench.second, bench.open()):
                found = handle.get_run(run.id)
                assert (found.tags["t"], found.metrics["m"]) == (str(number), point)
                assert len(handle.metric_history(run.id, "m", None, 10).items) == number + 1
        bench.second.update_run(run.id, RunChanges(lifecycle_stage=LifecycleStage.DELETED))
        assert bench.store.get_run(run.id).lifecycle_stage is LifecycleStage.DELETED

    @rule("B-CON-01")
    def test_a_closed_store_refuses_every_call(self, bench: BackendBench) -> None:
        """Closing twice is harmless, and each method then raises `InvalidState`."""
        run = bench.run()
        bench.second.get_run(run.id)
        bench.second.close()
        bench.second.close()
        for name, args in calls_on(bench, run.experiment_id, run.id).items():
            found = outcome(getattr(bench.second, name), *args)
            assert found.ways == ("InvalidState",), name
        assert seen(bench.store.get_run(run.id)) == seen(run)

    @rule("B-CON-01")
    def test_a_store_closed_before_its_first_call_is_closed(self, bench: BackendBench) -> None:
        """Nothing is opened by `close`, nor by the calls after it."""
        bench.store.close()
        assert outcome(bench.store.find_experiment, "iris").ways == ("InvalidState",)

    @rule("B-CON-01")
    def test_a_store_is_closed_at_the_end_of_a_with_block(self, bench: BackendBench) -> None:
        """The block gives the store itself; leaving it closes it, and other handles stay open."""
        run = bench.run()
        with bench.open() as store:
            assert store.get_run(run.id).id == run.id
        assert outcome(store.get_run, run.id).ways == ("InvalidState",)
        assert bench.store.get_run(run.id).id == run.id

    @rule("B-CON-01", kind="conc")
    def test_close_waits_for_calls_under_way(self, bench: BackendBench) -> None:
        """Calls of other threads succeed or raise `InvalidState`, and nothing else."""
        run = bench.run()
        handle = bench.open()

        def write_until_closed(index: int) -> int:
            for number in count():
                point = Metric("m", float(index), 0, number)
                found = outcome(handle.log, run.id, Batch(metrics=[point]))
                if number == 3:
                    handle.close()
                if found.ways != ("ok",):
                    assert found.ways == ("InvalidState",)
                    return number
            raise AssertionError("count never ends")

        with ThreadPoolExecutor(4) as pool:
            written = list(pool.map(write_until_closed, range(4), timeout=PATIENCE))
        assert len(bench.history(run.id, "m")) == sum(written)

    @rule("B-CON-01", needs=["untouched"])
    def test_a_store_is_opened_by_its_first_call(self, bench: BackendBench) -> None:
        """Opening leaves no trace, so that a URL can be named and never used."""
        for _ in range(20):
            bench.open()
        assert list(bench.folder.iterdir()) == []
        assert bench.experiments() == []

    @rule("B-CON-01")
    def test_closing_gives_back_every_descriptor(self, bench: BackendBench) -> None:
        """Handles that are used and closed, one after another, leave no file or socket open."""
        run = bench.run()
        with bench.open() as store:  # some drivers keep what the first one opened for the next
            store.log(run.id, Batch(tags={"t": "first"}))
        before = open_descriptors()
        for number in range(30):
            with bench.opener(bench.url) as store:
                store.log(run.id, Batch(tags={"t": str(number)}))
        assert open_descriptors() <= before

    @rule("B-CON-01", needs=["processes"])
    def test_a_store_survives_a_fork(self, bench: BackendBench) -> None:
        """Parent and child both go on with the handle, and see what the other wrote."""
        run = bench.run()
        bench.store.log(run.id, Batch(tags={"parent": "1"}))
        told = in_a_child(lambda: use_in_child(bench.store, run.id))
        assert told == b"ok"
        bench.store.log(run.id, Batch(tags={"parent": "2"}))
        assert bench.store.get_run(run.id).tags == {**run.tags, "parent": "2", "child": "1"}
        assert in_a_child(lambda: use_in_child(bench.store, run.id)) == b"ok"
        assert seen(bench.second.get_run(run.id)) == seen(bench.store.get_run(run.id))

    @rule("B-VER-01")
    def test_a_store_states_its_contract_and_claims(self, bench: BackendBench) -> None:
        """The class says which contract it implements, and what it guarantees beyond the core."""
        kind = type(bench.opener(bench.url))
        assert issubclass(kind, BackendStore)
        assert kind.contract[0] == CONTRACT[0]
        assert kind.contract[1] <= CONTRACT[1]
        assert isinstance(kind.guarantees, Guarantees)
        assert not kind.ephemeral or kind.guarantees.durability == "none"


def calls_on(bench: BackendBench, experiment_id: str, run_id: str) -> dict[str, tuple[Any, ...]]:
    """Return a call of every method of the contract, none of which is refused for its values."""
    changes = RunChanges(lifecycle_stage=LifecycleStage.ACTIVE)
    experiment = bench.store.get_experiment(experiment_id)
    return {
        "create_experiment": (experiment,),
        "get_experiment": (experiment_id,),
        "find_experiment": (experiment.name,),
        "update_experiment": (experiment_id, ExperimentChanges(last_update_time=UNSET)),
        "scan_experiments": (None, None, 1),
        "create_run": (bench.store.get_run(run_id),),
        "get_run": (run_id,),
        "update_run": (run_id, changes),
        "scan_runs": (experiment_id, None, None, 1),
        "log": (run_id, Batch()),
        "metric_history": (run_id, "m", None, 1),
        "purge_run": (run_id,),
        "purge_experiment": (experiment_id,),
    }


def use_in_child(store: BackendStore, run_id: str) -> None:
    assert "parent" in store.get_run(run_id).tags
    store.log(run_id, Batch(tags={"child": "1"}))
    assert store.get_run(run_id).tags["child"] == "1"
