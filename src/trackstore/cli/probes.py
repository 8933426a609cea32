"""What `trackstore check` does to a store: writes a probe, reads it back, and removes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from secrets import token_hex
from typing import ClassVar, Generic, TypeVar

from trackstore.abilities import Upgrades
from trackstore.errors import NotFound
from trackstore.ids import new_experiment_id, new_run_id
from trackstore.model import (
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    OrderBy,
    Run,
    RunQuery,
)
from trackstore.registry import open_backend_store
from trackstore.search import search_runs
from trackstore.stores import BackendStore, Store
from trackstore.tracker import now_ms

S = TypeVar("S", bound=Store)

TEXTS = {"key": "Text", "Key": "text", "spaces ": "spaces ", "\u00e9": "\U0001f600", "e\u0301": ""}
"""Which databases are known to change, or to take for one another."""
VALUES = (float("-inf"), -0.5, 1e-300, float("nan"))
LATEST = float("inf")
BYTES = bytes(range(256)) * 1_024


class Wrong(Exception):
    """The store gave back something else than was written: the message says what."""


class Probe(ABC, Generic[S]):
    """The steps by which one store is tried out; each returns what it did, as a phrase."""

    vital: ClassVar[frozenset[str]] = frozenset({"write", "read", "list"})
    """The steps without which those after them make no sense."""

    def __init__(self, url: str, opener: Callable[[str], S]) -> None:
        self.store = opener(url)
        self.reader = self.store if self.store.ephemeral else opener(url)
        self.name = f"trackstore-check-{token_hex(6)}"

    @property
    def steps(self) -> tuple[Callable[[], str], ...]:
        """What is done once it is open, each step only if the vital ones before it went well."""
        return self.write, self.read, self.list

    @abstractmethod
    def open(self) -> str: ...

    @abstractmethod
    def write(self) -> str: ...

    @abstractmethod
    def read(self) -> str:
        """Read by another handle what was written."""

    @abstractmethod
    def list(self) -> str: ...

    @abstractmethod
    def remove(self) -> str:
        """Leave nothing of the probe behind, however little of it is there."""

    def close(self) -> None:
        self.store.close()
        self.reader.close()


class BackendProbe(Probe[BackendStore]):
    def __init__(self, url: str) -> None:
        super().__init__(url, open_backend_store)
        now = now_ms()
        self.experiment = Experiment(new_experiment_id(), self.name, "mlflow-artifacts:/", now, now)
        self.run = Run(new_run_id(), self.experiment.id, now, "trackstore check")

    def open(self) -> str:
        if isinstance(self.store, Upgrades):
            return f"schema {self.store.upgrade().after}"
        self.store.scan_experiments(None, None, 1)
        return "it answers"

    def write(self) -> str:
        self.store.create_experiment(self.experiment)
        self.store.create_run(self.run)
        metrics = [Metric("m", value, 0, step) for step, value in enumerate((*VALUES, LATEST))]
        self.store.log(self.run.id, Batch(metrics, TEXTS, TEXTS))
        return f"experiment {self.name!r}, with a run and a batch"

    def read(self) -> str:
        run = self.reader.get_run(self.run.id)
        same("the params", run.params, TEXTS)
        same("the tags", {key: run.tags.get(key) for key in TEXTS}, TEXTS)
        same("the latest value", [each.value for each in run.metrics.values()], [LATEST])
        points = self.reader.metric_history(self.run.id, "m", None, 100).items
        same("the points", [repr(each.value) for each in points], [*map(repr, (*VALUES, LATEST))])
        return f"{len(TEXTS)} params, {len(TEXTS)} tags and {len(points)} points, as written"

    def list(self) -> str:
        same("the id by the name", self.reader.find_experiment(self.name).id, self.experiment.id)
        query = RunQuery((self.experiment.id,), order_by=(OrderBy("metric", "m"),))
        found = search_runs(self.reader, query, None, 10).items
        same("the runs of the experiment", [each.id for each in found], [self.run.id])
        return "the experiment by its name, the run by a search"

    def remove(self) -> str:
        deletion = ExperimentChanges(lifecycle_stage=LifecycleStage.DELETED)
        try:
            self.store.update_experiment(self.experiment.id, deletion)
            self.store.purge_experiment(self.experiment.id)
        except NotFound:
            return "nothing was written"
        gone("the experiment", lambda: self.reader.get_experiment(self.experiment.id))
        gone("the run", lambda: self.reader.get_run(self.run.id))
        return "nothing of the probe is left"


def same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Wrong(f"{what} came back as {found!r:.200}, not as {wanted!r:.200}")


def gone(what: str, get: Callable[[], object]) -> None:
    try:
        get()
    except NotFound:
        return
    raise Wrong(f"{what} is still there after it was removed")
