"""Perform the steps of a program on a store, and write down each call with its times."""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic_ns
from typing import Any

from trackstore.errors import TrackstoreError
from trackstore_conformance.concurrent import file_operations, operations
from trackstore_conformance.concurrent.program import Step, Suffix
from trackstore_conformance.history import NEVER, Call
from trackstore_conformance.outcomes import way_of

OPERATIONS: Mapping[str, Any] = {
    function.__name__: function
    for function in (*operations.OPERATIONS, *file_operations.OPERATIONS)
}
"""What a step can ask for, by name."""

RAISED = "raised "
"""Begins the way of a call that ended by an exception outside of the contract."""

Ids = Mapping[str, str]
"""What each symbol of a program stands for in one run of it."""


class Recorder:
    """Makes the calls of one client, one after another."""

    def __init__(self, client: int, ids: Ids) -> None:
        self.client = client
        self.ids = ids
        self.symbols = {ids[symbol]: symbol for symbol in ids}
        self.calls: list[Call] = []
        self.under_way: Call | None = None

    def perform(self, store: Any, step: Step) -> None:
        arguments = {name: self.resolved(value) for name, value in step.arguments.items()}
        operation = OPERATIONS[step.operation]
        called = monotonic_ns()
        self.under_way = Call(self.client, step.operation, step.arguments, called, NEVER, "unknown")
        way, value = ended(lambda: operation(store, **arguments))
        returned = NEVER if way == "unknown" else monotonic_ns()
        self.under_way = None
        told = self.told(value)
        self.calls.append(
            Call(self.client, step.operation, step.arguments, called, returned, way, told)
        )

    def resolved(self, value: Any) -> Any:
        return self.ids.get(value, value) if isinstance(value, str) else value

    def told(self, value: Any) -> Any:
        """Return a value with the program's symbols in place of ids."""
        if isinstance(value, str):
            return self.symbols.get(value, value)
        return [self.told(each) for each in value] if isinstance(value, list) else value

    def whole(self) -> list[Call]:
        """Return all calls, with the one that has not returned."""
        return [*self.calls, self.under_way] if self.under_way else list(self.calls)


def ended(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return the way in which a call ended, and its value or what an error said."""
    try:
        return "ok", call()
    except TrackstoreError as error:
        way = "unknown" if error.outcome == "unknown" else way_of(error)
        return way, str(error)[:200]
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"{RAISED}{type(error).__name__}", str(error)[:200]


def run_clients(
    store: Any,
    index: int,
    meet: Callable[[], Any],
    jobs: Sequence[tuple[Sequence[Sequence[Suffix]], Ids]],
    recorders: Sequence[Sequence[Recorder]] | None = None,
) -> list[list[Call]]:
    """Be one client of each of several programs in turn; return its calls in each.

    `jobs` has the rounds of each program, and its ids; `recorders`, by program and client, are
    given where somebody else wants to look at them before the end.
    """
    found = []
    for number, (rounds, ids) in enumerate(jobs):
        recorder = recorders[number][index] if recorders else Recorder(index + 1, ids)
        for suffixes in rounds:
            meet()
            for step in suffixes[index] if index < len(suffixes) else ():
                recorder.perform(store, step)
        found.append(recorder.calls)
    return found
