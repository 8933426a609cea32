"""What mutants are made of."""

from typing import Any, ClassVar, Self

from trackstore.model import Metric, Page
from trackstore.stores import BackendStore
from trackstore_conformance.forwarding import ForwardingArtifactStore, ForwardingBackendStore
from trackstore_conformance.forwarding_models import (
    ForwardingLoggedModelStore,
    ForwardingRegistryStore,
)
from trackstore_conformance.mutants.near import NEAR

HIDDEN = "\x02"
"""Begins what a mutant keeps in the store that it wraps, and does not show."""


class Broken:
    """A store that breaks one rule; its docstring says how."""

    killed_by: ClassVar[str]
    """The rule that must find it."""
    near: ClassVar[tuple[str, ...]] = ()
    """Rules that must not be blamed for it; those of `NEAR` if it names none."""
    url: ClassVar[str] = "memory://{folder}"
    """Of the store that it wraps, which `trackstore.registry` opens."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "killed_by" in vars(cls) and "near" not in vars(cls):
            cls.near = NEAR[cls.killed_by]


class Mutant(Broken, ForwardingBackendStore):
    """Forwards every call; a mutant overrides what it breaks."""


class ArtifactMutant(Broken, ForwardingArtifactStore):
    """Forwards every call; a mutant overrides what it breaks."""


class RegistryMutant(Broken, ForwardingRegistryStore):
    """Forwards every call; a mutant overrides what it breaks."""

    place = ""
    """The URL: what a mutant remembers besides, it remembers of the store under it."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        store = super().from_url(url)
        store.place = url
        return store


class LoggedModelMutant(Broken, ForwardingLoggedModelStore):
    """Forwards every call; a mutant overrides what it breaks."""


def whole_history(store: BackendStore, run_id: str, key: str) -> list[Metric]:
    return list(store.metric_history(run_id, key, None, 1_000_000).items)


def first_rows(rows: list[Any], limit: int, cursor: Any) -> Page[Any, Any]:
    """Return a page of `rows`; `cursor` makes its `next` of its last row."""
    more = len(rows) > limit
    return Page(rows[:limit], cursor(rows[limit - 1]) if more else None)
