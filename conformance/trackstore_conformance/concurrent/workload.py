"""What a kind of program is: how one is generated, and how its history is judged."""

from collections.abc import Callable
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from trackstore_conformance.concurrent.judging import Judge
from trackstore_conformance.concurrent.program import Kind, Program, Step, Suffix

CLIENTS = 8
Generate = Callable[[Random, int], Program]
"""Makes a program by chance, of about as many rounds."""


class Workload(Struct, frozen=True):
    name: str
    rules: tuple[str, ...]
    """Those that its judge may find broken."""
    make: Generate
    judge: Judge

    def generate(self, seed: int, rounds: int) -> Program:
        """Return the program of this seed."""
        return replace(self.make(Random(seed), rounds), seed=seed)


def step(operation: str, **arguments: object) -> Step:
    return Step(operation, arguments)


def everyone(make: Callable[[int], list[Step]]) -> tuple[Suffix, ...]:
    """Return a round in which client n, from 1, does `make(n)`."""
    return tuple(tuple(make(client)) for client in range(1, CLIENTS + 1))


ONE_RUN: dict[str, Kind] = {"e": "experiment", "home": "name", "r": "run"}
"""The symbols of a program that works on one run."""
READ_RUN = step("read_run", run="r")


def one_run() -> tuple[Step, ...]:
    """Return the steps that make the run."""
    return (
        step("create_experiment", experiment="e", name="home"),
        step("create_run", run="r", experiment="e"),
    )
