"""What the workers of a race do: functions of (store, index, ...) that return what they saw."""

from collections.abc import Callable, Mapping, Sequence
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
)
from trackstore.stores import BackendStore
from trackstore_conformance.checkers import Tokens
from trackstore_conformance.outcomes import outcome

WRITERS = 2
"""How many of the eight write, where the others read."""
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


REFUSALS = {"ok", "AlreadyExists id", "AlreadyExists name", "Conflict", "InvalidState", "NotFound"}


def way(call: Callable[..., Any], *args: Any) -> str:
    """Return how a call ended; if it is one that no race should show, with what it said."""
    ended = outcome(call, *args)
    if ended.ways[0] in REFUSALS:
        return ended.ways[0]
    return f"{ended.ways[0]}: {ended.message} ({ended.cause})"


def new_experiment(number: str, name: str) -> Experiment:
    return Experiment(number, name, "artifacts:/", 0, 0)


def claim_names(
    store: BackendStore, index: int, claims: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Claim each name for an id of one's own: by creating, renaming or restoring in turn."""
    ways = {}
    for number, (name, ids) in enumerate(claims.items()):
        mine = ids[index]
        if (index + number) % 3 == 0:
            ways[name] = way(store.create_experiment, new_experiment(mine, name))
            continue
        renames = (index + number) % 3 == 1
        changes = (
            ExperimentChanges(name=name) if renames else ExperimentChanges(lifecycle_stage=ACTIVE)
        )
        ways[name] = way(store.update_experiment, mine, changes)
    return ways


def prepare_claims(store: BackendStore, claims: Mapping[str, Sequence[str]]) -> None:
    """Create what is to be renamed and restored: an experiment for each later claim."""
    for number, (name, ids) in enumerate(claims.items()):
        for index, mine in enumerate(ids):
            if (index + number) % 3 == 1:
                store.create_experiment(new_experiment(mine, f"{name} to be renamed {index}"))
            elif (index + number) % 3 == 2:
                store.create_experiment(new_experiment(mine, name))
                store.update_experiment(mine, ExperimentChanges(lifecycle_stage=DELETED))


def get_or_create(store: BackendStore, index: int, claims: Mapping[str, Sequence[str]]) -> Any:
    """Return the id under which each name was found or made, as the front does it."""
    return {name: id_of(store, name, ids[index]) for name, ids in claims.items()}


def id_of(store: BackendStore, name: str, fresh: str) -> str:
    try:
        return store.find_experiment(name).id
    except NotFound:
        try:
            return store.create_experiment(new_experiment(fresh, name)).id
        except AlreadyExists:
            return store.find_experiment(name).id


def write_params(
    store: BackendStore, index: int, run_id: str, keys: Sequence[str]
) -> dict[str, tuple[str, str | None]]:
    """Write each param with a value of one's own, in a batch, and read it afterwards."""
    found = {}
    for key in keys:
        batch = Batch(
            params={f"{key} before {index}": "1", key: str(index), f"{key} after {index}": "1"},
            tags={f"{key} {index}": "1"},
            metrics=[Metric(key, float(index), 0)],
        )
        ended = way(store.log, run_id, batch)
        found[key] = ended, store.get_run(run_id).params.get(key)
    return found


def write_tag(store: BackendStore, index: int, run_id: str, rounds: int) -> list[tuple[str, str]]:
    """Write one tag again and again, in two orders of keys; return what was read after each."""
    read = []
    for number in range(rounds):
        tags = {"t": f"{index}-{number}", "u": f"{index}-{number}"}
        store.log(run_id, Batch(tags=tags if index % 2 else dict(reversed(tags.items()))))
        found = store.get_run(run_id).tags
        read.append((found["t"], found["u"]))
    return read


def add_points(store: BackendStore, index: int, run_id: str, rounds: int) -> list[Any]:
    """Add points of one's own, and points that all add; return the latest as read after each."""
    latest = []
    for number in range(rounds):
        points = [Metric("own", float(index), step, number) for step in range(3)]
        store.log(run_id, Batch(metrics=[*points, Metric("all", 1.0, number, number)]))
        point = store.get_run(run_id).metrics["own"]
        latest.append((point.step, point.timestamp, point.value))
    return latest


def write_or_read_tokens(store: BackendStore, index: int, run: Run, rounds: int) -> list[Tokens]:
    """Write batches that bear one token in many places, or read and return the tokens seen."""
    if index >= WRITERS:
        return [tokens_of(read_run(store, run, number)) for number in range(3 * rounds)]
    for number in range(1, rounds + 1):
        store.log(run.id, token_batch(index + WRITERS * number))
    return []


def writer_of(token: int) -> int:
    return token % WRITERS


def token_batch(token: int) -> Batch:
    return Batch(
        metrics=[Metric("first", float(token), 0, token), Metric("last", float(token), 0, token)],
        params={f"p{token}": str(token), f"q{token}": str(token)},
        tags={"first": str(token), "last": str(token)},
    )


def read_run(store: BackendStore, run: Run, number: int) -> Run:
    """Read the run in one of two ways."""
    if number % 2:
        return store.get_run(run.id)
    page = store.scan_runs(run.experiment_id, None, None, 10)
    return next(each for each in page.items if each.id == run.id)


def tokens_of(run: Run) -> Tokens:
    return (
        (int(run.tags["first"]), int(run.tags["last"])),
        (run.metrics["first"].step, run.metrics["last"].step),
        sorted(int(key[1:]) for key in run.params if key.startswith("p")),
        sorted(int(key[1:]) for key in run.params if key.startswith("q")),
    )


def log_or_delete(store: BackendStore, index: int, run_ids: Sequence[str]) -> dict[str, str]:
    """Log to each run, or delete it; return how it ended."""
    delete = RunChanges(lifecycle_stage=DELETED)
    if index == 0:
        return {run_id: way(store.update_run, run_id, delete) for run_id in run_ids}
    batch = Batch(tags={f"by {index}": "1"}, params={f"by {index}": "1"})
    return {run_id: way(store.log, run_id, batch) for run_id in reversed(run_ids)}


def start(store: BackendStore, index: int) -> str:
    """Make the first call on a store: create an experiment of one's own."""
    return way(store.create_experiment, new_experiment(str(100 + index), f"name {index}"))
