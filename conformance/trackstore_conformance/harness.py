"""What a test has in hand: a bench with handles on one store, and ids that nothing else uses."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from trackstore.model import RUN_NAME, Batch, Experiment, LifecycleStage, Metric, Run
from trackstore.registry import open_artifact_store, open_backend_store
from trackstore.stores import ArtifactStore, BackendStore, Store
from trackstore_conformance.rules import Need, Suite, check_of, check_whole

S = TypeVar("S", bound=Store)
Opener = Callable[[str], S]

LEAST_GRADES = frozenset({"none", "refused", "eventual"})


class Bench(Generic[S]):
    """Handles on one store.

    `url` names a store, in `folder`, that is used by one test alone; `opener` must be known by
    name, so that other processes can be given it.
    """

    def __init__(self, places: Iterator[tuple[Path, str]], opener: Opener[S]) -> None:
        self._places = places
        self.opener = opener
        self.folder, self.url = next(places)
        self._handles: list[S] = []

    @cached_property
    def store(self) -> S:
        return self.open()

    @cached_property
    def second(self) -> S:
        """Another handle on the same store."""
        return self.open()

    def open(self) -> S:
        handle = self.opener(self.url)
        self._handles.append(handle)
        return handle

    def move(self) -> None:
        """Go to an untouched store, and leave the one in use as it is."""
        self.close()
        self.folder, self.url = next(self._places)

    def close(self) -> None:
        """Close every handle; the next use of `store` opens one again."""
        while self._handles:
            self._handles.pop().close()
        for handle in ("store", "second"):
            self.__dict__.pop(handle, None)


class ArtifactBench(Bench[ArtifactStore]):
    """A bench for an artifact store."""

    def paths(self, prefix: str = "", limit: int = 1_000, *, deep: bool = True) -> list[str]:
        """Return the paths of a whole listing, page after page."""
        rows = all_rows(lambda after: self.store.scan(prefix, after, limit, deep=deep))
        return [info.path for info in rows]

    def read(self, path: str) -> bytes:
        return b"".join(self.store.get(path))


class BackendBench(Bench[BackendStore]):
    """A bench for a backend store, with what a test needs before it can begin."""

    def __init__(self, places: Iterator[tuple[Path, str]], opener: Opener[BackendStore]) -> None:
        super().__init__(places, opener)
        self._numbers = count(1)

    def new_experiment_id(self, lead: int = 1) -> str:
        """Return a fresh id; `lead` decides how long it is, and where it is sorted."""
        return f"{lead}{next(self._numbers):05d}"

    def new_run_id(self, lead: str = "5") -> str:
        return f"{lead}{next(self._numbers):031x}"

    def experiment(self, **fields: Any) -> Experiment:
        """Create an experiment that has `fields`, and return it as it was given."""
        number = self.new_experiment_id()
        given: dict[str, Any] = {
            "id": number,
            "name": f"experiment {number}",
            "artifact_location": f"artifacts:/{number}",
            "creation_time": 1_000,
            "last_update_time": 1_000,
            **fields,
        }
        experiment = Experiment(**given)
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


class StoreSuite(Suite, ABC):
    """What both suites share."""

    __test__ = False

    @abstractmethod
    def url(self, folder: Path) -> str:
        """Return the URL of a store that is named by `folder`, an empty directory.

        Every handle on this URL must reach the same data, and another folder's none of it.
        """


class BackendSuite(StoreSuite):
    """What every part of the backend suite shares; `BackendStoreTests` is what to subclass."""

    __test__ = False

    def opener(self) -> Opener[BackendStore]:
        """Return what opens a URL: a function that other processes can import."""
        return open_backend_store

    @pytest.fixture
    def bench(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BackendBench]:
        with closing(self.make_bench(tmp_path)) as bench:
            prepare(bench, self, request.function)
            yield bench

    def make_bench(self, folder: Path) -> BackendBench:
        return BackendBench(places(self.url, folder), self.opener())


class ArtifactSuite(StoreSuite):
    """What every part of the artifact suite shares; `ArtifactStoreTests` is what to subclass."""

    __test__ = False

    def opener(self) -> Opener[ArtifactStore]:
        """Return what opens a URL: a function that other processes can import."""
        return open_artifact_store

    def plain_files(self, folder: Path) -> Path | None:  # noqa: ARG002 - of a store that has them
        """Return where the store in `folder` keeps artifacts as files of their own, if it does.

        Links are planted there, which the store must not follow.
        """
        return None

    @pytest.fixture
    def bench(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ArtifactBench]:
        with closing(self.make_bench(tmp_path)) as bench:
            prepare(bench, self, request.function)
            yield bench

    def make_bench(self, folder: Path) -> ArtifactBench:
        return ArtifactBench(places(self.url, folder), self.opener())


def places(url: Callable[[Path], str], folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield one empty folder after another, each with the URL of a store in it."""
    for number in count():
        empty = folder / f"store{number}"
        empty.mkdir()
        yield empty, url(empty)


def prepare(bench: Bench[Any], suite: Suite, test: object) -> None:
    """Skip the test, with the reason, if the store cannot be asked what it checks."""
    check_whole(type(suite))
    check = check_of(test)
    for need in check.needs if check else ():
        reason = not_applicable(need, bench.store)
        if reason is not None:
            pytest.skip(f"N/A: {reason}")


def not_applicable(need: Need, store: Store) -> str | None:
    """Return why a store cannot be asked a rule that has this need, or None if it can."""
    if need in {"processes", "durability"} and store.ephemeral:
        return "ephemeral"
    if need != "processes" and getattr(store.guarantees, need) in LEAST_GRADES:
        return f"claims no {need}"
    return None
