"""What a copy reads: any store, or what MLflow has written."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from trackstore.model import Experiment, Metric, Page, Run
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import LoggedModel, ModelVersion, RegisteredModel
from trackstore.stores import BackendStore

T = TypeVar("T")

_PAGE = 1_000
POINTS = 10_000
"""How many points are read, and written, at a time."""


class Source(Protocol):
    """Everything of a store, both stages, in any order but where one is given."""

    def experiments(self) -> Iterator[Experiment]: ...

    def runs(self, experiment_id: str) -> Iterator[Run]: ...

    def points(self, run: Run) -> Iterator[Sequence[Metric]]:
        """Yield the points of a run by key, each in the order of its history."""
        ...

    def logged_models(self, experiment_id: str) -> Iterator[LoggedModel]: ...

    def registered_models(self) -> Iterator[RegisteredModel]: ...

    def versions(self, name: str) -> Iterator[ModelVersion]:
        """Yield the versions of a registered model by their number."""
        ...

    def close(self) -> None: ...


class StoreSource:
    """A backend store, read by pages."""

    def __init__(self, store: BackendStore) -> None:
        self.store = store

    def close(self) -> None:
        self.store.close()

    def experiments(self) -> Iterator[Experiment]:
        return _all(lambda after: self.store.scan_experiments(None, after, _PAGE))

    def runs(self, experiment_id: str) -> Iterator[Run]:
        return _all(lambda after: self.store.scan_runs(experiment_id, None, after, _PAGE))

    def points(self, run: Run) -> Iterator[Sequence[Metric]]:
        for key in sorted(run.metrics):
            after = None
            while True:
                page = self.store.metric_history(run.id, key, after, POINTS)
                yield page.items
                if (after := page.next) is None:
                    break

    def logged_models(self, experiment_id: str) -> Iterator[LoggedModel]:
        store = self.store
        if not isinstance(store, LoggedModelStore):
            return iter(())
        return _all(lambda after: store.scan_logged_models(experiment_id, None, None, after, _PAGE))

    def registered_models(self) -> Iterator[RegisteredModel]:
        store = self.store
        if not isinstance(store, RegistryStore):
            return iter(())
        return _all(lambda after: store.scan_registered_models(after, _PAGE))

    def versions(self, name: str) -> Iterator[ModelVersion]:
        store = self.store
        if not isinstance(store, RegistryStore):
            return iter(())
        return _all(lambda after: store.scan_model_versions(name, None, after, _PAGE))


def _all(scan: Callable[[Any], Page[T, Any]]) -> Iterator[T]:
    after = None
    while True:
        page = scan(after)
        yield from page.items
        if (after := page.next) is None:
            return
