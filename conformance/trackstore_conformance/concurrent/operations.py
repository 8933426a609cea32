"""What a step of a program does: each a function of a store and of plain values.

Stand-alone scripts hold them, and the functions that they call, as they are written here.
"""

from typing import Any

from trackstore.errors import AlreadyExists, NotFound
from trackstore.model import (
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    Run,
    RunChanges,
    RunStatus,
)
from trackstore.stores import BackendStore


def create_experiment(store: BackendStore, experiment: str, name: str, at: int = 0) -> None:
    store.create_experiment(Experiment(experiment, name, "artifacts:/", at, at))


def rename_experiment(store: BackendStore, experiment: str, name: str) -> None:
    store.update_experiment(experiment, ExperimentChanges(name=name))


def delete_experiment(store: BackendStore, experiment: str) -> None:
    changes = ExperimentChanges(lifecycle_stage=LifecycleStage.DELETED)
    store.update_experiment(experiment, changes)


def restore_experiment(store: BackendStore, experiment: str) -> None:
    changes = ExperimentChanges(lifecycle_stage=LifecycleStage.ACTIVE)
    store.update_experiment(experiment, changes)


def find_experiment(store: BackendStore, name: str) -> str:
    return store.find_experiment(name).id


def read_experiment(store: BackendStore, experiment: str) -> list[str]:
    found = store.get_experiment(experiment)
    return [found.name, found.lifecycle_stage.value]


def get_or_create(store: BackendStore, experiment: str, name: str) -> str:
    try:
        return store.find_experiment(name).id
    except NotFound:
        try:
            return store.create_experiment(Experiment(experiment, name, "artifacts:/", 0, 0)).id
        except AlreadyExists:
            return store.find_experiment(name).id


def create_run(store: BackendStore, run: str, experiment: str, at: int = 0) -> None:
    store.create_run(Run(run, experiment, at, "artifacts:/"))


def delete_run(store: BackendStore, run: str) -> None:
    store.update_run(run, RunChanges(lifecycle_stage=LifecycleStage.DELETED))


def restore_run(store: BackendStore, run: str) -> None:
    store.update_run(run, RunChanges(lifecycle_stage=LifecycleStage.ACTIVE))


def purge_run(store: BackendStore, run: str) -> None:
    store.purge_run(run)


def set_status(store: BackendStore, run: str, status: str) -> None:
    store.update_run(run, RunChanges(status=RunStatus(status)))


def set_end_time(store: BackendStore, run: str, at: int) -> None:
    store.update_run(run, RunChanges(end_time=at))


def log(
    store: BackendStore,
    run: str,
    params: Any = (),
    tags: Any = (),
    deleted: Any = (),
    points: Any = (),
) -> list[str]:
    metrics = [Metric(key, value, timestamp, step) for key, value, timestamp, step in points]
    batch = Batch(metrics, dict(params), dict(tags), deleted)
    return sorted(store.log(run, batch).absent_tags)


def read_run(store: BackendStore, run: str) -> dict[str, Any]:
    return shown(store.get_run(run))


def read_run_in_scan(store: BackendStore, run: str, experiment: str) -> dict[str, Any] | None:
    found = store.scan_runs(experiment, None, None, 100).items
    return next((shown(each) for each in found if each.id == run), None)


def shown(run: Run) -> dict[str, Any]:
    return {
        "stage": run.lifecycle_stage.value,
        "status": run.status.value,
        "end": run.end_time,
        "params": dict(run.params),
        "tags": dict(run.tags),
        "latest": {k: [p.step, p.timestamp, p.value] for k, p in run.metrics.items()},
    }


def read_points(store: BackendStore, run: str, key: str) -> list[list[Any]]:
    found = store.metric_history(run, key, None, 10_000).items
    return [[point.step, point.timestamp, point.value] for point in found]


def walk_runs(store: BackendStore, experiment: str, limit: int) -> list[str]:
    return [run.id for run in walk(store.scan_runs, limit, experiment, LifecycleStage.ACTIVE)]


def walk_points(store: BackendStore, run: str, key: str, limit: int) -> list[list[Any]]:
    found = walk(store.metric_history, limit, run, key)
    return [[point.step, point.timestamp, point.value] for point in found]


def walk_experiments(store: BackendStore, limit: int, since: int) -> list[str]:
    pages = walk(store.scan_experiments, limit, LifecycleStage.ACTIVE, until=since)
    return [each.id for each in pages if each.creation_time >= since]


def walk(scan: Any, limit: int, *args: Any, until: int | None = None) -> list[Any]:
    rows, page = [], scan(*args, None, limit)
    while page.next is not None and (until is None or page.next[0] >= until):
        rows += page.items
        page = scan(*args, page.next, limit)
    return [*rows, *page.items]


OPERATIONS = (
    create_experiment,
    rename_experiment,
    delete_experiment,
    restore_experiment,
    find_experiment,
    read_experiment,
    get_or_create,
    create_run,
    delete_run,
    restore_run,
    purge_run,
    set_status,
    set_end_time,
    log,
    read_run,
    read_run_in_scan,
    read_points,
    walk_runs,
    walk_points,
    walk_experiments,
)
