"""Any store behaves as the model: one call after another, through two handles.

Each rule makes the same call on the store and on the model and compares how the two came out.
Pages are turned one at a time, so that any other call may fall between two pages.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from msgspec.structs import replace

from trackstore.model import (
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Run,
    RunChanges,
)
from trackstore.search import search_runs
from trackstore_conformance import strategies as some
from trackstore_conformance.harness import BackendBench
from trackstore_conformance.model import Model
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.query_strategies import queries

READ_ALL_EVERY = 6
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class Reading:
    """A listing that has been begun: where its next page starts."""

    def __init__(self, name: str, *args: Any) -> None:
        self.name = name
        self.args = args
        self.after: Any = None

    def __repr__(self) -> str:
        return f"<{self.name}{self.args} after {self.after}>"


class BackendMachine(RuleBasedStateMachine):
    """Compares the store of `bench` with the model; `machine_for` gives it a bench."""

    bench: ClassVar[BackendBench]

    experiments = Bundle("experiments")
    runs = Bundle("runs")
    batches = Bundle("batches")
    readings = Bundle("readings")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.handle = "store"
        self.steps = 0
        self.agreed = True

    def compare(self, name: str, *args: Any) -> None:
        """Make a call on the model and on the store, which must come out alike."""
        self.agreed = False
        expected = outcome(getattr(self.model, name), *args)
        found = outcome(getattr(getattr(self.bench, self.handle), name), *args)
        self.must_agree(name, found, expected)

    def must_agree(self, name: str, found: Outcome, expected: Outcome) -> None:
        assert set(found.ways) <= set(expected.ways), f"{name} came out as {found.ways}"
        assert found.value == expected.value, f"{name} returned what it should not"
        self.agreed = True

    @initialize(target=runs, home=some.new_experiments, new=some.new_runs, batch=some.batches())
    def begin(self, home: Experiment, new: Run, batch: Batch) -> MultipleResults[str]:
        """Begin with two runs that differ by their ids alone, one of which has data."""
        self.home = self.make_experiment(replace(home, lifecycle_stage=ACTIVE), 1)
        active = replace(new, lifecycle_stage=ACTIVE)
        runs = [self.make_run(self.home, active, lead) for lead in "50"]
        self.log_and_read(runs[0], batch)
        return multiple(*runs)

    @rule(target=experiments)
    def the_first_experiment(self) -> str:
        return self.home

    @rule(target=experiments, new=some.new_experiments, lead=st.sampled_from([1, 9, 10]))
    def create_experiment(self, new: Experiment, lead: int) -> str:
        return self.make_experiment(new, lead)

    def make_experiment(self, new: Experiment, lead: int) -> str:
        number = self.bench.new_experiment_id(lead)
        self.compare("create_experiment", replace(new, id=number))
        self.compare("find_experiment", new.name)
        return number

    @rule(experiment=experiments, new=some.new_experiments, same=st.booleans())
    def create_experiment_again(self, experiment: str, new: Experiment, same: bool) -> None:
        known = self.model.experiments.get(experiment)
        if known is not None:
            new = replace(new, id=experiment)
            if same:
                new = replace(new, name=known.name, creation_time=known.creation_time)
            self.compare("create_experiment", new)
            self.compare("get_experiment", experiment)

    @rule(experiment=experiments, changes=some.experiment_edits(some.names))
    def update_experiment(self, experiment: str, changes: ExperimentChanges) -> None:
        known = self.model.experiments.get(experiment)
        self.compare("update_experiment", experiment, changes)
        self.compare("get_experiment", experiment)
        if known is not None:
            self.compare("find_experiment", known.name)

    @rule(target=runs, experiment=experiments, new=some.new_runs, lead=st.sampled_from("05f"))
    def create_run(self, experiment: str, new: Run, lead: str) -> str:
        return self.make_run(experiment, new, lead)

    def make_run(self, experiment: str, new: Run, lead: str) -> str:
        number = self.bench.new_run_id(lead)
        self.compare("create_run", replace(new, id=number, experiment_id=experiment))
        return number

    @rule(run=runs, experiment=experiments, new=some.new_runs, same=st.booleans())
    def create_run_again(self, run: str, experiment: str, new: Run, same: bool) -> None:
        if run in self.model.known:
            known = self.model.get_run(run)
            new = replace(new, id=run, experiment_id=experiment)
            if same:
                new = replace(known, params={}, metrics={}, inputs=(), model_inputs=(), outputs=())
            self.compare("create_run", new)
            self.compare("get_run", run)

    @rule(run=runs, changes=some.run_changes)
    def update_run(self, run: str, changes: RunChanges) -> None:
        self.compare("update_run", run, changes)
        self.compare("get_run", run)

    @rule(run=runs | experiments)
    def purge(self, run: str) -> None:
        kind = "run" if run in self.model.known else "experiment"
        self.compare(f"purge_{kind}", run)
        self.compare(f"get_{kind}", run)

    @rule(target=batches, run=runs, batch=some.batches())
    def log(self, run: str, batch: Batch) -> Batch:
        self.log_and_read(run, batch)
        return batch

    @rule(run=runs, batches=st.lists(some.batches(), min_size=1, max_size=3))
    def log_several(self, run: str, batches: list[Batch]) -> None:
        for batch in batches:
            self.log_and_read(run, batch)

    @rule(run=runs, batch=batches)
    def log_again(self, run: str, batch: Batch) -> None:
        self.log_and_read(run, batch)

    def log_and_read(self, run: str, batch: Batch) -> None:
        self.compare("log", run, batch)
        self.compare("get_run", run)
        for key in {point.key for point in batch.metrics}:
            self.read_page(Reading("metric_history", run, key), 1_000)

    @rule(target=readings, home=experiments, stage=some.some_stage, one=st.booleans())
    def begin_scan(self, home: str, stage: LifecycleStage | None, one: bool) -> Reading:
        reading = Reading("scan_runs", home, stage) if one else Reading("scan_experiments", stage)
        self.read_page(reading, 1)
        return reading

    @rule(target=readings, run=runs, key=some.keys)
    def begin_history(self, run: str, key: str) -> Reading:
        reading = Reading("metric_history", run, key)
        self.read_page(reading, 1)
        return reading

    @rule(target=readings, data=st.data(), limit=some.limits)
    def begin_search(self, data: st.DataObject, limit: int) -> Reading:
        homes = [*self.model.experiments, "no such experiment"]
        query = data.draw(queries(homes, list(self.model.known)), label="query")
        reading = Reading("search_runs", query)
        self.read_page(reading, limit)
        return reading

    @rule(reading=readings, limit=some.limits)
    def turn_page(self, reading: Reading, limit: int) -> None:
        self.read_page(reading, limit)

    def read_page(self, reading: Reading, limit: int) -> None:
        """Read the next page of a listing; after the last one it starts again."""
        self.agreed = False
        args = (*reading.args, reading.after)
        expected = outcome(self.model.page, limit, reading.name, *args)
        found = outcome(self.reader(reading.name), *args, limit)
        self.must_agree(reading.name, found, expected)
        reading.after = found.raw.next if found.raw else None

    def reader(self, name: str) -> Callable[..., Any]:
        store = getattr(self.bench, self.handle)
        return partial(search_runs, store) if name == "search_runs" else getattr(store, name)

    @rule()
    def take_the_other_handle(self) -> None:
        self.handle = "second" if self.handle == "store" else "store"

    @precondition(lambda self: not self.bench.store.ephemeral)
    @rule()
    def reopen(self) -> None:
        self.bench.close()

    @invariant()
    def all_agrees_now_and_then(self) -> None:
        self.steps += 1
        if self.steps % READ_ALL_EVERY == 0:
            self.read_all()

    def read_all(self) -> None:
        """Compare all that the store has with all that the model has."""
        self.read_page(Reading("scan_experiments", None), 1_000)
        for experiment in self.model.experiments:
            self.read_page(Reading("scan_runs", experiment, None), 1_000)
        for run_id, run in self.model.known.items():
            for key in run.points:
                self.read_page(Reading("metric_history", run_id, key), 1_000)

    def teardown(self) -> None:
        """Leave an empty store to the next example, or if this one failed, another store."""
        try:
            if self.agreed:
                self.read_all()
                self.purge_all()
        finally:
            if not self.agreed:
                self.bench.move()

    def purge_all(self) -> None:
        for experiment in list(self.model.experiments):
            self.compare(
                "update_experiment", experiment, ExperimentChanges(lifecycle_stage=DELETED)
            )
            self.compare("purge_experiment", experiment)
        self.read_page(Reading("scan_experiments", None), 1_000)


def machine_for(bench: BackendBench) -> type[BackendMachine]:
    return type("Machine", (BackendMachine,), {"bench": bench})
