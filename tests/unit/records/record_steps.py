"""Writes whose parts can be told from each other, and what is left of them."""

from trackstore.model import Batch, Experiment, LifecycleStage, Metric, RunChanges
from trackstore_backends.records import FileBackendStore

HOME = Experiment("1", "home", "uri", 5, 5)


def log(store: FileBackendStore, step: int) -> None:
    """Log a point, a tag and a param that tell the step."""
    store.log("r", Batch([Metric("m", step / 4, 9, step)], {f"p{step}": "v"}, {"t": f"{step}"}))


def steps_of(store: FileBackendStore) -> list[int]:
    """Return the steps that were logged, having seen that their parts agree."""
    steps = [point.step for point in store.metric_history("r", "m", None, 1_000).items]
    run = store.get_run("r")
    assert sorted(run.params) == sorted(f"p{step}" for step in steps)
    assert run.tags == ({"t": f"{steps[-1]}"} if steps else {})
    assert [point.step for point in run.metrics.values()] == steps[-1:]
    return steps


def purge(store: FileBackendStore, run_id: str) -> None:
    store.update_run(run_id, RunChanges(lifecycle_stage=LifecycleStage.DELETED))
    store.purge_run(run_id)
