"""Stores are found by the entry point of their URL's scheme."""

from importlib.metadata import EntryPoint, EntryPoints
from typing import ClassVar

import pytest

from trackstore import registry
from trackstore.errors import InvalidRequest, Unsupported
from trackstore.stores import BackendStore
from trackstore_backends.memory import MemoryBackendStore

MEMORY = "trackstore_backends.memory:MemoryBackendStore"


class FromTheFuture(MemoryBackendStore):
    contract: ClassVar = (2, 0)


def claims(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    entries = [EntryPoint("mine", value, registry.BACKEND_STORES) for value in values]
    monkeypatch.setattr(
        registry, "entry_points", lambda **wanted: EntryPoints(entries).select(**wanted)
    )


def test_a_scheme_finds_its_class() -> None:
    """Nothing but the scheme decides, in any case."""
    assert (
        registry.find_store(registry.BACKEND_STORES, BackendStore, "memory:") is MemoryBackendStore
    )
    assert (
        registry.find_store(registry.BACKEND_STORES, BackendStore, "MEMORY:") is MemoryBackendStore
    )


def test_what_stands_before_a_plus_names_the_class() -> None:
    """The rest is for the class: one entry point opens every protocol of fsspec."""
    for scheme in ("memory+x", "Memory+x+y"):
        found = registry.find_store(registry.BACKEND_STORES, BackendStore, f"{scheme}:")
        assert found is MemoryBackendStore


@pytest.mark.parametrize("url", ["nope://x", "", "mlruns", "C:/x", "://", "secret:pass@host"])
def test_an_unknown_scheme_is_answered_with_those_there_are(url: str) -> None:
    """The rest of the URL, which may hold a password, is not repeated."""
    with pytest.raises(InvalidRequest, match="memory:") as caught:
        registry.open_backend_store(url)
    assert "pass" not in str(caught.value)


def test_two_claims_on_a_scheme_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one is used must not depend on the order of installation."""
    claims(monkeypatch, MEMORY, "other:Store")
    with pytest.raises(InvalidRequest, match="more than one package"):
        registry.open_backend_store("mine:")


def test_a_missing_package_is_answered_with_the_line_that_mends_it() -> None:
    """The distribution's extra of the same name, if it has one, else the distribution."""
    (entry,) = registry.entry_points(group=registry.BACKEND_STORES, name="memory")
    assert entry.dist
    broken = EntryPoint("conformance", "missing_module:Store", registry.BACKEND_STORES)
    vars(broken).update(dist=entry.dist)
    with pytest.raises(Unsupported, match=r"pip install 'trackstore\[conformance\]'"):
        registry.load_store(broken, BackendStore)


def test_what_is_no_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point must name a class of the right kind."""
    claims(monkeypatch, "trackstore_backends.memory:shared_name")
    with pytest.raises(Unsupported, match="is not a BackendStore"):
        registry.open_backend_store("mine:")


def test_another_major_version_of_the_contract_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that was written for other rules is not called at all."""
    claims(monkeypatch, f"{__name__}:FromTheFuture")
    with pytest.raises(Unsupported, match=r"implements contract 2\.0"):
        registry.open_backend_store("mine:")
