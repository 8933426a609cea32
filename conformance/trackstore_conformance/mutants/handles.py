"""Mutants of handles: how they are opened, shared and closed, and what their errors say."""

import os
from collections.abc import Callable
from typing import Any, ClassVar, Self

from msgspec.structs import replace

from trackstore.abilities import Upgrades
from trackstore.errors import InvalidState, NotFound, TrackstoreError
from trackstore.model import (
    Applied,
    Batch,
    Experiment,
    Metric,
    MetricCursor,
    Page,
    Run,
    SchemaChange,
)
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore
from trackstore_conformance.mutants.wrapped import Mutant
from trackstore_conformance.namespaces import erase

ON_DISK = "sqlite:///{folder}/store.db"


class OpenedAtOnce(Mutant):
    """Makes its files before anything is asked of it."""

    killed_by = "B-CON-01"
    url = ON_DISK

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        inner.scan_experiments(None, None, 1)


class MadeAnew(Mutant):
    """Makes the schema again, and empty, when it is upgraded."""

    killed_by = "B-MIG-03"
    url = ON_DISK

    def upgrade(self) -> SchemaChange:
        assert isinstance(self.inner, Upgrades)
        change = self.inner.upgrade()
        erase(self.inner)
        return change


class NewForAll(Mutant):
    """Says of every upgrade that there was no store before."""

    killed_by = "B-MIG-03"
    url = ON_DISK

    def upgrade(self) -> SchemaChange:
        assert isinstance(self.inner, Upgrades)
        return replace(self.inner.upgrade(), before=None)


class DescriptorLeaked(Mutant):
    """Leaves a file open for each handle that is used."""

    killed_by = "B-CON-01"

    def log(self, run_id: str, batch: Batch) -> Applied:
        os.open(os.devnull, os.O_RDONLY)
        return super().log(run_id, batch)


class SecondCloseRefused(Mutant):
    """Refuses to be closed twice."""

    killed_by = "B-CON-01"
    closed = False

    def close(self) -> None:
        if self.closed:
            raise InvalidState("the store is closed")
        self.closed = True
        super().close()


class WithLeavesItOpen(Mutant):
    """Stays open at the end of a with block."""

    killed_by = "B-CON-01"

    def __exit__(self, *raised: object) -> None:
        pass


class ClosedTogether(Mutant):
    """Closes every handle on a store with the first."""

    killed_by = "B-CON-01"
    together: ClassVar[list[BackendStore]] = []

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.together.append(inner)

    def close(self) -> None:
        while self.together:
            self.together.pop().close()


class HistoryCached(Mutant):
    """Answers from the history that it read before, until it writes itself."""

    killed_by = "B-SES-01"

    def __init__(self, inner: BackendStore) -> None:
        super().__init__(inner)
        self.read: dict[tuple[Any, ...], Page[Metric, MetricCursor]] = {}

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        asked = (run_id, key, after, limit)
        if asked not in self.read:
            self.read[asked] = super().metric_history(run_id, key, after, limit)
        return self.read[asked]

    def log(self, run_id: str, batch: Batch) -> Applied:
        self.read.clear()
        return super().log(run_id, batch)


class ChangesErrors(Mutant):
    """Raises `changed(error)` where an experiment is refused or a run not found."""

    def changed(self, error: TrackstoreError) -> BaseException:
        raise NotImplementedError

    def refused(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except TrackstoreError as error:
            raise self.changed(error) from error

    def create_experiment(self, experiment: Experiment) -> Experiment:
        return self.refused(super().create_experiment, experiment)  # type: ignore[no-any-return]

    def get_run(self, run_id: str) -> Run:
        return self.refused(super().get_run, run_id)  # type: ignore[no-any-return]


class UrlTold(ChangesErrors):
    """Says in its errors where the data is."""

    killed_by = "B-ERR-01"
    place = ""

    @classmethod
    def from_url(cls, url: str) -> Self:
        made = cls(open_backend_store(url))
        made.place = url
        return made

    def changed(self, error: TrackstoreError) -> BaseException:
        error.args = (f"{error} in {self.place}",)
        return error


class UrlShown(Mutant):
    """Shows in a log where the data is, with the password."""

    killed_by = "B-ERR-01"
    place = ""

    @classmethod
    def from_url(cls, url: str) -> Self:
        made = cls(open_backend_store(url))
        made.place = url
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place!r})"


class StatementTold(ChangesErrors):
    """Says in its errors what it asked its database."""

    killed_by = "B-ERR-01"

    def changed(self, error: TrackstoreError) -> BaseException:
        error.args = (f"{error} [INSERT INTO runs]",)
        return error


class RefusalsInDoubt(ChangesErrors):
    """Says of a refusal that something may have been written."""

    killed_by = "B-ERR-01"

    def changed(self, error: TrackstoreError) -> BaseException:
        error.outcome = "unknown"
        return error


class WithoutAWord(ChangesErrors):
    """Raises errors that say nothing."""

    killed_by = "B-ERR-01"

    def changed(self, error: TrackstoreError) -> BaseException:
        error.args = ("",)
        return error


class StopsTheProgram(ChangesErrors):
    """Ends the program when it does not find a run."""

    killed_by = "B-ERR-01"

    def changed(self, error: TrackstoreError) -> BaseException:
        return SystemExit(1) if isinstance(error, NotFound) else error


class OfAnotherContract(Mutant):
    """States that it implements a contract that there is not yet."""

    killed_by = "B-VER-01"
    contract = (2, 0)


HANDLES: tuple[type[Mutant], ...] = (
    OpenedAtOnce,
    MadeAnew,
    NewForAll,
    DescriptorLeaked,
    SecondCloseRefused,
    WithLeavesItOpen,
    ClosedTogether,
    HistoryCached,
    UrlTold,
    UrlShown,
    StatementTold,
    RefusalsInDoubt,
    WithoutAWord,
    StopsTheProgram,
    OfAnotherContract,
)
