"""Backend stores for the fault engine: every call, and what there is before each of them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import Struct

from trackstore.model import (
    RUN_NAME,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
    RunChanges,
    RunStatus,
)
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.faults.kinds import Kind, Operation, Read, Rules, State, Step
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.sequential.model import Model

ROWS = 1_000
DELETED = LifecycleStage.DELETED
PAGED = {"scan_runs", "metric_history"}


class BackendCase(Struct, frozen=True):
    """Two experiments and two runs, half of it stored."""

    home: Experiment
    run: Run
    new_experiment: Experiment
    new_run: Run

    @property
    def setup(self) -> list[Step]:
        points = [Metric("m", 1.0, 0, step) for step in range(2)]
        first = Batch(metrics=points, params={"p": "1"}, tags={"old": "1", "t": "1"})
        return [
            ("create_experiment", (self.home,)),
            ("create_run", (self.run,)),
            ("log", (self.run.id, first)),
        ]

    @property
    def reads(self) -> list[Step]:
        return [
            ("get_experiment", (self.home.id,)),
            ("get_experiment", (self.new_experiment.id,)),
            ("find_experiment", (self.home.name,)),
            ("find_experiment", (self.new_experiment.name,)),
            ("scan_runs", (self.home.id, None, None)),
            ("metric_history", (self.run.id, "m", None)),
        ]

    def look(self, read: Read) -> State:
        found = [(step, read(step)) for step in self.reads]
        return [(step[0], (each.ways, each.value)) for step, each in found]


def _experiment(number: str) -> Experiment:
    return Experiment(number, f"fault {number}", "artifacts:/", 1_000, 1_000, tags={"old": "1"})


def _log(case: BackendCase) -> Step:
    links = (MetricLink("m-1", "d", "1"),)
    batch = Batch(
        metrics=[Metric("m", step / 3, step, step, links) for step in range(40)],
        params={"p": "1", "q": "x" * 1_000},
        tags={"t": "2", "u": "2"},
        inputs=[DatasetInput(Dataset("d", "1"), {"t": "1"})],
        model_inputs=["m-1"],
        outputs=[ModelOutput("m-2", 1)],
    )
    return "log", (case.run.id, batch)


def _log_points(case: BackendCase) -> Step:
    return "log", (case.run.id, Batch(metrics=[Metric("m", 2.0, 2, step) for step in range(2)]))


def _log_deletion(case: BackendCase) -> Step:
    batch = Batch(metrics=[Metric("m", 2.0, 2, 2)], tags={"t": "2"}, deleted_tags=["old"])
    return "log", (case.run.id, batch)


def _rename(case: BackendCase) -> Step:
    changes = ExperimentChanges(case.new_experiment.name, last_update_time=2_000, tags={"t": "2"})
    return "update_experiment", (case.home.id, changes)


def _edit_deletion(case: BackendCase) -> Step:
    changes = ExperimentChanges(last_update_time=2_000, tags={"t": "2"}, deleted_tags=["old"])
    return "update_experiment", (case.home.id, changes)


def _end_run(case: BackendCase) -> Step:
    tags = {RUN_NAME: "ended", "t": "2"}
    return "update_run", (case.run.id, RunChanges(RunStatus.FINISHED, 3_000, tags=tags))


def _delete_experiment(case: BackendCase) -> Step:
    changes = ExperimentChanges(lifecycle_stage=DELETED, last_update_time=2_000)
    return "update_experiment", (case.home.id, changes)


def _delete_run(case: BackendCase) -> Step:
    return "update_run", (case.run.id, RunChanges(lifecycle_stage=DELETED, deleted_time=2_000))


WHOLE = "B-ERR-02"
OPERATIONS = (
    Operation(
        "create_experiment",
        "keyed",
        "B-EXP-09",
        lambda case: ("create_experiment", (case.new_experiment,)),
    ),
    Operation("create_run", "keyed", "B-RUN-04", lambda case: ("create_run", (case.new_run,))),
    Operation("log", "natural", "B-BAT-01", _log, rival=_delete_run),
    Operation("log of points", "natural", "B-BAT-01", _log_points, rival=_delete_run),
    Operation("log that deletes a tag", "none", "B-BAT-01", _log_deletion, rival=_delete_run),
    Operation("update_experiment that renames", "natural", WHOLE, _rename),
    Operation("update_experiment that deletes", "natural", WHOLE, _delete_experiment),
    Operation("update_experiment that deletes a tag", "none", WHOLE, _edit_deletion),
    Operation("update_run that ends", "natural", WHOLE, _end_run, rival=_delete_run),
    Operation("update_run that deletes", "natural", WHOLE, _delete_run),
    Operation(
        "purge_run",
        "none",
        WHOLE,
        lambda case: ("purge_run", (case.run.id,)),
        lambda case: [_delete_run(case)],
    ),
    Operation(
        "purge_experiment",
        "none",
        WHOLE,
        lambda case: ("purge_experiment", (case.home.id,)),
        lambda case: [_delete_experiment(case)],
    ),
    Operation("get_experiment", "natural", WHOLE, lambda case: case.reads[0]),
    Operation("find_experiment", "natural", WHOLE, lambda case: case.reads[2]),
    Operation("get_run", "natural", WHOLE, lambda case: ("get_run", (case.run.id,))),
    Operation("scan_runs", "natural", WHOLE, lambda case: case.reads[4]),
    Operation("metric_history", "natural", WHOLE, lambda case: case.reads[5]),
)
"""Every call that writes, in each way that matters, and reads; `scan_experiments` would also see
what is made beside it."""


class BackendKind(Kind[BackendBench, Model]):
    """In its steps a page is without its limit."""

    rules: ClassVar = Rules(
        error="B-ERR-01", outcome="B-ERR-02", end="B-ERR-03", reply="B-ERR-04", damage="B-ERR-05"
    )

    def operations(self, bench: BackendBench) -> Sequence[Operation]:  # noqa: ARG002 - core
        return OPERATIONS

    def new_case(self, bench: BackendBench) -> BackendCase:
        first, second = (_experiment(bench.new_experiment_id()) for _ in range(2))
        runs = bench.new_run(first.id), bench.new_run(first.id, start_time=2_000)
        return BackendCase(first, runs[0], second, runs[1])

    def beacon(self, bench: BackendBench) -> Step:
        return "get_experiment", (bench.experiment().id,)

    def model(self, bench: BackendBench) -> Model:  # noqa: ARG002 - it claims nothing else
        return Model()

    def on_store(self, store: Any, step: Step) -> Any:
        name, args = step
        return getattr(store, name)(*args, *([ROWS] if name in PAGED else []))

    def on_model(self, model: Model, step: Step) -> Outcome:
        name, args = step
        if name in PAGED:
            return outcome(model.page, ROWS, name, *args)
        return outcome(getattr(model, name), *args)


BACKEND = BackendKind()
