"""What all adapters have in common: a call is made, and its exception said in the contract's words.

An adapter translates honestly and adds no safety of its own: what its subject does in three calls
stays three calls.  What a subject cannot do at all raises `Unsupported`.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

from trackstore.errors import AlreadyExists, InvalidState, NotFound, TrackstoreError
from trackstore.model import Experiment, Run
from trackstore.stores import BackendStore, Store


class Adapter(Store):
    """A handle on somebody else's storage, which is opened at once and never closed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.closed = False
        self.theirs = self.opened(url.partition("://")[2])

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(url)

    @abstractmethod
    def opened(self, path: str) -> Any:
        """Return the subject's own handle on the storage at `path`."""

    @staticmethod
    @abstractmethod
    def translated(error: Exception) -> TrackstoreError:
        """Return the error of the contract that says what the subject's says."""

    def close(self) -> None:
        self.closed = True

    def call(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if self.closed:
            raise InvalidState("this store is closed")
        try:
            return function(*args, **named)
        except TrackstoreError:
            raise
        except Exception as error:
            raise self.translated(error) from error


class TrackingAdapter(Adapter, BackendStore):
    """Creates what is not known yet; subjects make ids of their own, and know none of ours."""

    def create_experiment(self, experiment: Experiment) -> Experiment:
        try:
            old = self.get_experiment(experiment.id)
        except NotFound:
            return self.new_experiment(experiment)
        if (old.name, old.creation_time) == (experiment.name, experiment.creation_time):
            return old
        raise AlreadyExists("the id is taken", field="id")

    def create_run(self, run: Run) -> Run:
        try:
            old = self.get_run(run.id)
        except NotFound:
            return self.new_run(run)
        fields = ("experiment_id", "start_time", "user_id", "name")
        if all(getattr(old, field) == getattr(run, field) for field in fields):
            return old
        raise AlreadyExists("the id is taken", field="id")

    @abstractmethod
    def new_experiment(self, experiment: Experiment) -> Experiment: ...

    @abstractmethod
    def new_run(self, run: Run) -> Run: ...
