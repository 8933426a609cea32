"""What the engine asks of a kind of stores: work to be cut, a model, and how to look at a store."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct

from trackstore.stores import Guarantees
from trackstore_conformance.outcomes import Outcome

M = TypeVar("M")
Facts = Mapping[tuple[str, ...], Any]
"""What can be seen of a store, in pieces: (kind of thing, its names...) and what it is."""


class Step(Struct, frozen=True):
    """One call of a method of the contract."""

    method: str
    args: tuple[Any, ...]
    options: Mapping[str, Any] = {}

    def __str__(self) -> str:
        shown = [_short(each) for each in self.args]
        shown += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"{self.method}({', '.join(shown)})"


def run(store: Any, step: Step) -> Any:
    """Make the call; this runs in a worker."""
    return getattr(store, step.method)(*step.args, **step.options)


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"[{len(value)} chunks, {sum(map(len, value)):,} bytes]"
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:120]}... ({len(text):,} characters)"


class Program(Struct, frozen=True):
    """Work on an untouched store: what is there when it begins, and what may be cut."""

    name: str
    steps: tuple[Step, ...]
    prepared: tuple[Step, ...] = ()


class Workload(Struct, frozen=True):
    name: str
    make: Callable[[Random, str], tuple[Sequence[Step], Sequence[Step]]]
    """Returns what is prepared, and the steps; the text leads all ids, and is of digits."""

    def program(self, seed: int, lead: str) -> Program:
        prepared, steps = self.make(Random(f"{seed}-{self.name}"), lead)
        return Program(f"{self.name}, seed {seed}", tuple(steps), tuple(prepared))


class Rules(Struct, frozen=True):
    """Which rules are broken, by what is found after a kill or a failure of the disk."""

    lost: str
    """What was acknowledged is not there, or is there again after it was deleted."""
    torn: str
    """The call that was cut is there in part."""
    repair: str
    """The store does not open, read or write."""
    power: str
    """What was acknowledged had not reached the disk."""
    disk: str
    """A full or failing disk did more than to fail a call."""
    outcome: str
    """An error said that nothing was written, and something was."""


class Kind(ABC, Generic[M]):
    """Backend stores or artifact stores; `M` is the model that says what they must hold."""

    rules: ClassVar[Rules]

    @abstractmethod
    def model(self) -> M:
        """Return the model of an untouched store."""

    @abstractmethod
    def apply(self, model: M, step: Step) -> tuple[str, ...]:
        """Make the call on the model and return the ways in which it may end."""

    def claimed(self, program: Program, guarantees: Guarantees) -> Program:  # noqa: ARG002
        """Return the program without the calls that a store of these claims refuses."""
        return program

    @abstractmethod
    def facts(self, model: M, program: Program) -> Facts:
        """Return what `look` must find in a store."""

    @abstractmethod
    def look(self) -> Callable[[Any, Program], Facts]:
        """Return a function, known by name, that sees all that is in a store."""

    @abstractmethod
    def settle(self, model: M, step: Step, found: Facts) -> M | None:
        """Return the model after a call that may be done in part, if `found` is such a part.

        None if the call is whole or not there at all, as all but a few must be.
        """

    def after(self, model: M, step: Step) -> tuple[M, tuple[str, ...]]:
        """Return the model after a call, and the ways in which it may end."""
        changed = deepcopy(model)
        ways = self.apply(changed, step)
        return changed, ways


def may_end(ways: tuple[str, ...], found: Outcome) -> bool:
    return found.ways[0] in ways
