"""What a test has in hand: handles on one store, how much to try, and ids nothing else uses."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Generic, TypeVar

from trackstore.model import RUN_NAME, Batch, Experiment, LifecycleStage, Metric, Run
from trackstore.stores import ArtifactStore, BackendStore, Store
from trackstore_conformance.claims import claims_of
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.harness import Harness
from trackstore_conformance.report import StoreInfo, info_of
from trackstore_conformance.spec import Contract
from trackstore_conformance.watch import watched

S = TypeVar("S", bound=Store)
T = TypeVar("T")
LEAST = PROFILES["quick"].crash_points


class Bench(Generic[S]):
    """Handles on one store.

    `url` names a store, in `folder`, that is used by one test alone; `opener` must be known by
    name, so that other processes can be given it.
    """

    contract: ClassVar[Contract]

    def __init__(self, harness: Harness[S], folder: Path, settings: Settings) -> None:
        self.harness = harness
        self.profile = settings.profile
        self.seed = settings.seed
        self.evidence = Evidence()
        """What the test has tried so far: it counts here."""
        self._end = monotonic() + settings.profile.seconds
        self._places = harness.places(folder)
        self._handles: list[S] = []
        self.place = next(self._places)
        self._used = [self.place]

    @property
    def folder(self) -> Path:
        return self.place.folder

    @property
    def url(self) -> str:
        return self.place.url

    @property
    def opener(self) -> Callable[[str], S]:
        return self.place.opener

    @cached_property
    def info(self) -> StoreInfo:
        """What is said of the store in a report."""
        with self.harness.opener(self.url) as store:
            return info_of(store, self.contract, claims_of(store), self.harness.url)

    @cached_property
    def store(self) -> S:
        return self.open()

    @cached_property
    def second(self) -> S:
        """Another handle on the same store."""
        return self.open()

    def open(self) -> S:
        """Return a new handle; what it raises that no store may raise is a violation."""
        handle = watched(self.opener(self.url), self.evidence)
        self._handles.append(handle)
        return handle

    def move(self) -> None:
        """Go to an untouched store, and leave the one in use as it is."""
        self.close()
        self.place = next(self._places)
        self._used.append(self.place)

    def in_time(self, tries: Iterable[T], least: int = LEAST) -> Iterator[T]:
        """Yield `least`, what the quick profile would try, and then others while there is time."""
        for number, each in enumerate(tries):
            if number >= least and monotonic() > self._end:
                return
            yield each

    def clear(self) -> None:
        """Close every handle, and leave nothing behind in any store."""
        self.close()
        while self._used:
            self._used.pop().clear()

    def close(self) -> None:
        """Close every handle; the next use of `store` opens one again."""
        while self._handles:
            self._handles.pop().close()
        for handle in ("store", "second"):
            self.__dict__.pop(handle, None)


class ArtifactBench(Bench[ArtifactStore]):
    """A bench for an artifact store."""

    contract = "artifact"

    def paths(self, prefix: str = "", limit: int = 1_000, *, deep: bool = True) -> list[str]:
        """Return the paths of a whole listing, page after page."""
        rows = all_rows(lambda after: self.store.scan(prefix, after, limit, deep=deep))
        return [info.path for info in rows]

    def read(self, path: str) -> bytes:
        return b"".join(self.store.get(path))


class BackendBench(Bench[BackendStore]):
    """A bench for a backend store, with what a test needs before it can begin."""

    contract: ClassVar[Contract] = "backend"

    def __init__(self, harness: Harness[Any], folder: Path, settings: Settings) -> None:
        super().__init__(harness, folder, settings)
        self._numbers = count(1)
        self._base = f"{int(self.place.name, 16) % 10**10:010d}"

    def new_experiment_id(self, lead: int = 1) -> str:
        """Return a fresh id; `lead` decides how long it is, and where it is sorted."""
        return f"{lead}{self._base}{next(self._numbers):05d}"

    def new_run_id(self, lead: str = "5") -> str:
        return f"{lead}{self._base}{next(self._numbers):021x}"

    def new_experiment(self, **fields: Any) -> Experiment:
        """Return an experiment that is not stored yet."""
        number = self.new_experiment_id()
        given: dict[str, Any] = {
            "id": number,
            "name": f"experiment {number}",
            "artifact_location": f"artifacts:/{number}",
            "creation_time": 1_000,
            "last_update_time": 1_000,
            **fields,
        }
        return Experiment(**given)

    def experiment(self, **fields: Any) -> Experiment:
        """Create an experiment that has `fields`, and return it as it was given."""
        experiment = self.new_experiment(**fields)
        self.store.create_experiment(experiment)
        return experiment

    def new_run(self, experiment_id: str, **fields: Any) -> Run:
        """Return a run that is not stored yet."""
        number = self.new_run_id()
        given: dict[str, Any] = {
            "id": number,
            "experiment_id": experiment_id,
            "start_time": 1_000,
            "artifact_uri": f"artifacts:/{experiment_id}/{number}",
            "user_id": "ada",
            "tags": {RUN_NAME: "a run"},
            **fields,
        }
        return Run(**given)

    def run(self, experiment: Experiment | None = None, **fields: Any) -> Run:
        """Create a run that has `fields`, and return it as it was given."""
        home = self.experiment() if experiment is None else experiment
        run = self.new_run(home.id, **fields)
        self.store.create_run(run)
        return run

    def history(self, run_id: str, key: str, limit: int = 1_000) -> list[Metric]:
        """Return the whole history of a key, page after page."""
        return all_rows(lambda after: self.store.metric_history(run_id, key, after, limit))

    def runs(
        self, experiment_id: str, stage: LifecycleStage | None = None, limit: int = 1_000
    ) -> list[Run]:
        return all_rows(lambda after: self.store.scan_runs(experiment_id, stage, after, limit))

    def experiments(
        self, stage: LifecycleStage | None = None, limit: int = 1_000
    ) -> list[Experiment]:
        return all_rows(lambda after: self.store.scan_experiments(stage, after, limit))


def places_of(bench: Bench[Any]) -> list[str]:
    """Return what no error may tell: where the store is."""
    return [bench.url, bench.url.partition("://")[2], str(bench.folder)]


def all_rows(page_after: Callable[[Any], Any]) -> list[Any]:
    """Return the rows of all pages; `page_after` is given None, then each page's `next`."""
    rows: list[Any] = []
    after = None
    for _ in range(100_000):
        page = page_after(after)
        rows += page.items
        if (after := page.next) is None:
            return rows
    raise AssertionError("the pages never end")


def metrics(key: str, values: Mapping[int, float] | Sequence[float]) -> Batch:
    """Return a batch with one point of `key` for each step, logged at the time 0."""
    steps = values.items() if isinstance(values, Mapping) else enumerate(values)
    return Batch(metrics=[Metric(key, value, 0, step) for step, value in steps])
