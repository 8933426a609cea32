"""Programs of several clients, as data: they can be stored, run again and made smaller."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["experiment", "run", "name", "folder"]
"""What a symbol of a program stands for."""


class Step(Struct, frozen=True):
    """One call: the name of a function in `operations`, and what it is given."""

    operation: str
    arguments: dict[str, Any] = {}
    """Plain JSON values; an argument that is a symbol of the program is replaced by its id."""


Suffix = tuple[Step, ...]
"""What one client does in one round."""


class Program(Struct, frozen=True):
    """First `before`, by one client; then the rounds; then `after`, by one client again.

    The clients wait for each other before each round, so that its calls meet.
    """

    workload: str
    symbols: dict[str, Kind]
    before: tuple[Step, ...] = ()
    rounds: tuple[tuple[Suffix, ...], ...] = ()
    """For each round, what each client does; the first is client 1."""
    after: tuple[Step, ...] = ()
    seed: int = 0

    @property
    def steps(self) -> Iterator[Step]:
        yield from self.before
        for suffixes in self.rounds:
            for suffix in suffixes:
                yield from suffix
        yield from self.after

    @property
    def clients(self) -> int:
        return max((len(suffixes) for suffixes in self.rounds), default=0)


def symbols_in(steps: Iterator[Step], symbols: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the symbols that the steps name."""
    named = {value for step in steps for value in step.arguments.values() if isinstance(value, str)}
    return {symbol: kind for symbol, kind in symbols.items() if symbol in named}
