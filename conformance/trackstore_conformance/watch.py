"""A handle that is watched: its calls are counted, and it may raise only what a store may raise.

An exception outside `trackstore.errors` ends the test at once, as a violation of B-ERR-01, or of
its contract's own rule, that keeps the original as its cause, so that no test takes it for
something else.
"""

from abc import ABCMeta
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, TypeVar, cast

import pytest

from trackstore.abilities import OPTIONAL_ABILITIES
from trackstore.errors import TrackstoreError
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.stores import ArtifactReader, ArtifactStore, BackendStore, Store
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.violations import OutOfTime, Violation

S = TypeVar("S", bound=Store)

PASSED_ON = (
    TrackstoreError, Violation, OutOfTime, KeyboardInterrupt, pytest.fail.Exception,
    pytest.skip.Exception,
)  # fmt: skip
"""What a store may raise, and what may reach a test through a call without its doing."""
CONTRACTS: tuple[type[Store], ...] = (LoggedModelStore, BackendStore, ArtifactStore, RegistryStore)
"""A contract that another extends comes after it."""


class _Every(Container[str]):
    def __contains__(self, name: object) -> bool:
        return True


EVERY = _Every()
ERRORS: tuple[tuple[type[Store], Container[str], str], ...] = (
    (ArtifactStore, frozenset(vars(ArtifactStore)), "A-ERR-01"),
    (RegistryStore, frozenset(vars(RegistryStore)), "R-ERR-01"),
    (LoggedModelStore, frozenset(vars(LoggedModelStore)), "L-ERR-01"),
    (BackendStore, EVERY, "B-ERR-01"),
    (RegistryStore, EVERY, "R-ERR-01"),
    (ArtifactStore, EVERY, "A-ERR-01"),
)
"""The rule that a foreign exception breaks, by the call that raised it."""
STATED = ("contract", "guarantees", "ephemeral")


def watched(handle: S, evidence: Evidence) -> S:
    """Return a store that forwards to `handle`, and offers what that offers."""
    bases = tuple(each for each in CONTRACTS if isinstance(handle, each))
    offered = [each for each in OPTIONAL_ABILITIES if isinstance(handle, each)]
    names = {name for each in (*bases, *offered) for name in vars(each) if name[0] != "_"}
    members: dict[str, Any] = {name: forwarding(name) for name in {"close", *names}}
    members |= {name: getattr(handle, name) for name in STATED if hasattr(handle, name)}
    kind: Any = ABCMeta(type(handle).__name__, (Watched, *bases), members)
    return cast("S", kind(handle, evidence))


def forwarding(name: str) -> Callable[..., Any]:
    def call(self: "Watched", *args: Any, **kwargs: Any) -> Any:
        return self.watch(name, *args, **kwargs)

    return call


class Watched:
    """What `watched` makes: a base of stores, not of the suite's own classes."""

    def __init__(self, handle: Store, evidence: Evidence) -> None:
        self.handle = handle
        self.evidence = evidence

    @classmethod
    def from_url(cls, url: str) -> Store:
        raise NotImplementedError(f"{url}: a handle is watched after it was opened")

    def __enter__(self) -> Any:
        found = self.watch("__enter__")
        return self if found is self.handle else found

    def __exit__(self, *raised: Any) -> Any:
        return self.watch("__exit__", *raised)

    def watch(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call; what the chunks that it was given raise is the test's own."""
        self.evidence.operations += 1
        given = [Chunks(each) if isinstance(each, Iterator) else each for each in args]
        try:
            found = getattr(self.handle, name)(*given, **kwargs)
        except PASSED_ON:
            raise
        except BaseException as error:
            if any(isinstance(each, Chunks) and each.raised is error for each in given):
                raise
            raise odd(self, name, error) from error
        return WatchedReader(found, self, name) if isinstance(found, ArtifactReader) else found


def odd(store: object, name: str, error: BaseException) -> Violation:
    rule = next(rule for kind, names, rule in ERRORS if isinstance(store, kind) and name in names)
    return Violation(rule, witness=f"{name} raised {error!r}, which the contract does not")


class Chunks(Iterator[bytes]):
    """What a test gives to `put`; remembers what it raised."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = iter(chunks)
        self.raised: BaseException | None = None

    def __next__(self) -> bytes:
        try:
            return next(self.chunks)
        except BaseException as error:
            self.raised = error
            raise

    def close(self) -> None:
        close = getattr(self.chunks, "close", None)
        if close is not None:
            close()


class WatchedReader(ArtifactReader):
    def __init__(self, reader: ArtifactReader, store: object, name: str) -> None:
        super().__init__(reader, reader.size)
        self.store = store
        self.name = name

    def __next__(self) -> bytes:
        try:
            return super().__next__()
        except (StopIteration, *PASSED_ON):
            raise
        except BaseException as error:
            raise odd(self.store, self.name, error) from error
