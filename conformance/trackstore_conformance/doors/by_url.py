"""What a URL alone says of the stores to test: their contracts, and whether they open."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trackstore.errors import TrackstoreError
from trackstore.registry import (
    ARTIFACT_STORES,
    BACKEND_STORES,
    find_store,
    has_scheme,
    open_artifact_store,
    open_backend_store,
    open_logged_model_store,
    open_registry_store,
)
from trackstore.stores import Store
from trackstore_conformance.claims import CONTRACTS
from trackstore_conformance.doors.timing import at_most
from trackstore_conformance.harness import Harness
from trackstore_conformance.report.redact import redacted, scrubber
from trackstore_conformance.spec import Contract
from trackstore_conformance.violations import OutOfTime

OPENERS: Mapping[Contract, Callable[[str], Any]] = MappingProxyType(
    {
        "backend": open_backend_store,
        "artifact": open_artifact_store,
        "registry": open_registry_store,
        "logged-models": open_logged_model_store,
    }
)
GROUPS: Mapping[str, tuple[Contract, ...]] = MappingProxyType(
    {BACKEND_STORES: ("backend", "registry", "logged-models"), ARTIFACT_STORES: ("artifact",)}
)
"""The contracts that a class may have which is registered in a group."""
HARNESSES = "trackstore.conformance"
"""The entry-point group in which a distribution names, by scheme, the URL to test its stores by."""

LOOKS: Mapping[Contract, Callable[[Any], object]] = MappingProxyType(
    {
        "backend": lambda store: store.scan_experiments(None, None, 1),
        "artifact": lambda store: store.scan("", None, 1, deep=False),
        "registry": lambda store: store.scan_registered_models(None, 1),
        "logged-models": lambda store: store.scan_logged_models("0", None, None, None, 1),
    }
)
"""The least that a store must be able to show."""
PATIENCE = 30.0
"""Seconds in which a store must open."""


def contracts_of(url: str) -> tuple[Contract, ...]:
    """Return the contracts for which a store is installed that opens such URLs."""
    scheme = url.partition(":")[0].lower()
    found = tuple(
        contract
        for group, contracts in GROUPS.items()
        if entry_points(group=group, name=scheme)
        for contract in _kept(group, contracts, url)
    )
    if not found and not has_scheme(url):
        return ("artifact",)  # a plain path is a local folder
    return found


def _kept(group: str, contracts: tuple[Contract, ...], url: str) -> tuple[Contract, ...]:
    """Return those of the contracts that the class of a URL has."""
    try:
        kind = find_store(group, Store, f"{url.partition(':')[0]}:")
    except TrackstoreError:
        return contracts[:1]  # opening it will say what is wrong
    return tuple(each for each in contracts if issubclass(kind, CONTRACTS[each]))


class CannotTest(Exception):
    """The suite cannot be run on a store: its message says why, and what to do."""


def harness_for(url: str, contract: Contract) -> Harness[Any]:
    return Harness(url, OPENERS[contract])


def targets_of(url: str, contract: Contract | None = None) -> list[tuple[str, Contract]]:
    """Return what to test for a URL, or for a scheme alone whose distribution names the URL.

    Raises `CannotTest` if nothing opens it.
    """
    scheme, colon, _ = url.partition(":")
    if not colon and entry_points(group=HARNESSES, name=scheme):
        url = installed_url(scheme)
    found = [each for each in contracts_of(url) if contract in {None, each}]
    if not found:
        known = sorted(_schemes())
        kind = f"{contract} store" if contract else "store"
        raise CannotTest(
            f"no installed {kind} opens URLs that start with {scheme[:40]!r}; "
            f"there are {', '.join(f'{name}:' for name in known)}"
        )
    return [(url, each) for each in found]


def installed_url(scheme: str) -> str:
    """Return the URL by which a distribution has the stores of a scheme tested."""
    (entry,) = entry_points(group=HARNESSES, name=scheme)
    return str(entry.load())


def installed() -> tuple[list[str], list[str]]:
    """Return the schemes whose distributions name a URL to test them by, and the other schemes."""
    named = entry_points(group=HARNESSES).names & _schemes()
    return sorted(named), sorted(_schemes() - named)


def _schemes() -> set[str]:
    return {each.name for group in GROUPS for each in entry_points(group=group)}


def check_opens(url: str, contract: Contract, folder: Path) -> None:
    """Open a store and list what is in it; raise `CannotTest` if that fails."""
    try:
        place = harness_for(url, contract).place(folder)
        with at_most(PATIENCE), place.opener(place.url) as store:
            LOOKS[contract](store)
    except TrackstoreError as error:
        raise CannotTest(f"{redacted(url)} does not open: {error}") from error
    except OutOfTime as error:
        raise CannotTest(f"{redacted(url)} does not open: {error}") from error
    except Exception as error:
        said = f"{type(error).__name__}: {scrubber(url)(str(error))}"
        raise CannotTest(
            f"{redacted(url)} does not open: {said} (a store may raise only trackstore.errors: "
            f"B-ERR-01)"
        ) from error
