"""Any store behaves as the model: one call after another, through three handles.

Each rule makes the same call on the store and on the model, and a trial compares the outcomes.
Pages are turned one at a time, so that any other call may fall between two pages.
"""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, invariant, multiple, rule
from msgspec.structs import replace

from trackstore.model import (
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    Run,
    RunChanges,
)
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.sequential import strategies as some
from trackstore_conformance.sequential.backend_trial import BackendTrial
from trackstore_conformance.sequential.generated import TrialMachine
from trackstore_conformance.sequential.model import Model
from trackstore_conformance.sequential.query_strategies import queries

READ_ALL_EVERY = 6
MANY = (3, 3, 40, 600)
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class Reading:
    """A listing that has been begun: where its next page starts."""

    def __init__(self, name: str, *args: Any) -> None:
        self.name = name
        self.args = args
        self.after: Any = None

    def __repr__(self) -> str:
        return f"<{self.name}{self.args} after {self.after}>"


class BackendMachine(TrialMachine):
    """Compares a store with the model."""

    trial: BackendTrial
    bench: ClassVar[BackendBench]

    experiments = Bundle("experiments")
    runs = Bundle("runs")
    batches = Bundle("batches")
    readings = Bundle("readings")

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def new_trial(self) -> BackendTrial:
        return BackendTrial(self.bench)

    @property
    def model(self) -> Model:
        return self.trial.model

    def compare(self, name: str, *args: Any) -> None:
        """Make a call on the model and on the store, which must come out alike."""
        self.trial.do(name, *args)

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

    @rule(run=runs, key=some.keys, count=st.sampled_from(MANY))
    def log_many(self, run: str, key: str, count: int) -> None:
        """More points than a store keeps in one piece, or gives to its driver at once."""
        points = [Metric(key, float(n % 7), n % 3, n) for n in range(count)]
        self.log_and_read(run, Batch(metrics=points))

    @rule(experiment=experiments, new=some.new_runs, starts=st.lists(some.times, min_size=4))
    def create_many_runs(self, experiment: str, new: Run, starts: list[int]) -> None:
        for start in starts:
            self.make_run(experiment, replace(new, start_time=start), "5")
        self.read_page(Reading("scan_runs", experiment, None), len(starts) - 1)

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
        found = self.trial.do(reading.name, *reading.args, reading.after, limit)
        reading.after = found.raw.next if found.raw else None

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

    def remove_all(self) -> None:
        for experiment in list(self.model.experiments):
            self.compare(
                "update_experiment", experiment, ExperimentChanges(lifecycle_stage=DELETED)
            )
            self.compare("purge_experiment", experiment)
        self.read_page(Reading("scan_experiments", None), 1_000)
