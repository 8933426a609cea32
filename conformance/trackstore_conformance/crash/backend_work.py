"""The work of backend stores that is cut: each returns what is prepared, and the steps."""

from collections.abc import Sequence
from random import Random
from typing import Any

from trackstore.model import (
    RUN_NAME,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    ModelOutput,
    Run,
    RunChanges,
    RunStatus,
)
from trackstore_conformance.crash.kinds import Step, Workload

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
Work = tuple[Sequence[Step], Sequence[Step]]


class Ids:
    """The ids of a program, which begin with the same digits: no other has them."""

    def __init__(self, lead: str) -> None:
        self.lead = lead

    def experiment(self, number: int) -> str:
        return f"1{self.lead}{number:03d}"

    def run(self, number: int) -> str:
        return f"5{self.lead}{number:0{31 - len(self.lead)}x}"

    def new_experiment(self, number: int, name: str = "") -> Step:
        ident = self.experiment(number)
        made = Experiment(
            *(ident, name or f"experiment {number}", f"artifacts:/{ident}", 1_000 + number, 1_000),
            tags={"made by": "ada", "number": str(number)},
        )
        return Step("create_experiment", (made,))

    def new_run(self, number: int, home: int) -> Step:
        ident, home_id = self.run(number), self.experiment(home)
        made = Run(
            *(ident, home_id, 2_000 + number, f"artifacts:/{home_id}/{ident}", "ada"),
            tags={RUN_NAME: f"run {number}", "number": str(number)},
        )
        return Step("create_run", (made,))

    def log(self, number: int, batch: Batch) -> Step:
        return Step("log", (self.run(number), batch))

    def change(self, number: int, **given: Any) -> Step:
        return Step("update_experiment", (self.experiment(number), ExperimentChanges(**given)))

    def edit(self, number: int, **given: Any) -> Step:
        return Step("update_run", (self.run(number), RunChanges(**given)))


def a_batch(random: Random, number: int) -> Batch:
    """Return metrics, params and tags whose keys say by which batch they came."""
    size = random.choice([1, 3, 40])
    points = [Metric(f"m{n % 5}", random.random(), number, number * 100 + n) for n in range(size)]
    text = "x" * random.choice([5, 500, 20_000])
    data = Dataset(f"data {number % 2}", "digest", "local", "/data")
    return Batch(
        metrics=points,
        params={f"param {number}": str(number), f"long param {number}": text},
        tags={"last": str(number), f"tag {number}": text},
        deleted_tags=[f"tag {number - 2}"] if number > 1 else (),
        inputs=[DatasetInput(data, {"batch": str(number)})] if number % 3 == 0 else (),
        outputs=[ModelOutput(f"model {number}", number)] if number % 3 == 1 else (),
    )


def batches(random: Random, lead: str) -> Work:
    ids = Ids(lead)
    steps = [ids.log(1 + n % 2, a_batch(random, n)) for n in range(8)]
    return [ids.new_experiment(1), ids.new_run(1, 1), ids.new_run(2, 1)], steps


def creations(_random: Random, lead: str) -> Work:
    ids = Ids(lead)
    steps = [ids.new_experiment(2), ids.new_run(1, 1), ids.new_experiment(3), ids.new_run(2, 2)]
    return [ids.new_experiment(1)], [*steps, ids.new_run(3, 3), ids.new_experiment(4)]


def changes(random: Random, lead: str) -> Work:
    ids = Ids(lead)
    prepared = [ids.new_experiment(1), ids.new_experiment(2)]
    prepared += [ids.new_run(number, 1 + number // 4) for number in range(1, 6)]
    prepared += [ids.log(number, a_batch(random, number)) for number in range(1, 6)]
    steps = [
        ids.change(1, name="renamed", last_update_time=3_000, tags={"new": "1"}),
        ids.edit(1, status=RunStatus.FINISHED, end_time=5_000, tags={RUN_NAME: "ended", "t": "1"}),
        ids.edit(2, lifecycle_stage=DELETED, deleted_time=6_000),
        ids.edit(2, lifecycle_stage=ACTIVE, deleted_time=None),
        ids.edit(3, lifecycle_stage=DELETED, deleted_time=6_000),
        Step("purge_run", (ids.run(3),)),
        ids.change(2, lifecycle_stage=DELETED, last_update_time=4_000),
        ids.new_experiment(5, name="experiment 2"),
        Step("purge_experiment", (ids.experiment(2),)),
        ids.change(1, lifecycle_stage=DELETED),
        ids.change(1, lifecycle_stage=ACTIVE, deleted_tags=["new"]),
    ]
    return prepared, steps


def first_start(random: Random, lead: str) -> Work:
    ids = Ids(lead)
    return [], [ids.new_experiment(1), ids.new_run(1, 1), ids.log(1, a_batch(random, 0))]


BATCHES = Workload("batches", batches)
CREATIONS = Workload("creations", creations)
CHANGES = Workload("changes", changes)
FIRST_START = Workload("first start", first_start)
ALL = (BATCHES, CREATIONS, CHANGES, FIRST_START)
