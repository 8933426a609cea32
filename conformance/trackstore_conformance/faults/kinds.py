"""What the engine asks of a kind of stores: calls, a model, and how to look at a case."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from msgspec import Struct

from trackstore_conformance.bench import Bench
from trackstore_conformance.faults.scripts import Idempotency
from trackstore_conformance.outcomes import Outcome

B = TypeVar("B", bound=Bench[Any])
M = TypeVar("M")

Step = tuple[str, tuple[Any, ...]]
"""A call of a kind, and its arguments."""
Read = Callable[[Step], Outcome]
State = list[tuple[str, Any]]
"""All that there is to see of a case, each with its name: always the same names."""


class Case(Protocol):
    """What one play of a script has for itself."""

    @property
    def setup(self) -> Sequence[Step]:
        """What there is before any operation."""

    def look(self, read: Read) -> State:
        """Return all that there is to see."""


class Rules(Struct, frozen=True):
    """Which rules are broken, by what a call does that a fault struck."""

    error: str
    """It raises what it may not."""
    outcome: str
    """It returns, or says "none", and that is not so."""
    end: str
    """It does not end, or not as it may."""
    reply: str
    """It returns what is not its answer, or the handle does not find back."""
    damage: str
    """What was changed on its way is taken for what was sent."""


class Operation(Struct, frozen=True):
    """A call that faults are played on."""

    name: str
    idempotency: Idempotency
    rule: str
    """Which rule is broken if it is done by half, or twice."""
    call: Callable[[Any], Step]
    """Returns the call, in a case."""
    prepare: Callable[[Any], Sequence[Step]] = lambda _: ()
    """What is done before, besides what every case begins with."""
    rival: Callable[[Any], Step] | None = None
    """What another one may do that forbids it, as in the script "overtaken"."""
    divides: bool = False
    """If it fails, each thing that there is to see may be as before or as after."""
    is_large: bool = False
    """It moves so much that only some scripts are played on it in the profile `quick`."""


class Kind(ABC, Generic[B, M]):
    """Backend stores or artifact stores; `M` is the model that says what they must do."""

    rules: ClassVar[Rules]

    @abstractmethod
    def operations(self, bench: B) -> Sequence[Operation]:
        """Return every call that the store claims to make."""

    @abstractmethod
    def new_case(self, bench: B) -> Case: ...

    @abstractmethod
    def beacon(self, bench: B) -> Step:
        """Store what no script touches, and return a call that reads it."""

    @abstractmethod
    def model(self, bench: B) -> M:
        """Return the model of an untouched store."""

    @abstractmethod
    def on_store(self, store: Any, step: Step) -> Any:
        """Make the call on a store, and return what it does."""

    @abstractmethod
    def on_model(self, model: M, step: Step) -> Outcome:
        """Make the call on the model."""
