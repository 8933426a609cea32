"""What a store says of itself decides which rules bind it, and is read strictly."""

from typing import Any

import pytest

from sample_reports import CORE, KILL, POWER, SEARCH, TAGS, claims
from trackstore.registry import open_artifact_store, open_backend_store
from trackstore.stores import Guarantees
from trackstore_conformance.claims import BadClaims, claimed, claims_of
from trackstore_conformance.spec import RULES


def test_a_store_is_read_as_it_says() -> None:
    """Kind, grades and optional protocols; a store in memory is ephemeral."""
    with open_backend_store("memory://claims") as store:
        found = claims_of(store)
    assert (found.contracts, found.ephemeral) == (("backend", "registry", "logged-models"), True)
    assert found.guarantees == Guarantees(durability="none")
    with open_backend_store("sqlite:///never-opened.db") as sqlite:
        assert claims_of(sqlite).abilities == (
            "SearchesRuns",
            "ReadsColumns",
            "DownsamplesHistory",
            "Upgrades",
        )
    with open_artifact_store("memory://claims") as files:
        assert claims_of(files).contracts == ("artifact",)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("guarantees", None, "no trackstore.stores.Guarantees"),
        ("guarantees", {"durability": "none"}, "no trackstore.stores.Guarantees"),
        ("guarantees", Guarantees(durability="always"), "'always'"),  # type: ignore[arg-type]
        ("guarantees", Guarantees(listing=3), "guarantees.listing"),  # type: ignore[arg-type]
        ("ephemeral", "yes", "ephemeral"),
        ("contract", (1,), "version"),
    ],
)
def test_a_claim_that_there_is_not_is_refused(field: str, value: object, said: str) -> None:
    """By an error that names the class and the claim: nothing could be held against it."""
    store: Any = open_backend_store("memory://claims")
    odd = type("OddStore", (type(store),), {field: value}).from_url("memory://claims")
    with pytest.raises(BadClaims, match="OddStore") as raised:
        claims_of(odd)
    assert said in str(raised.value)


def test_what_is_no_store_is_refused() -> None:
    """Whatever the registry or an opener of the author's own gave."""
    nothing: Any = object()
    with pytest.raises(BadClaims, match="object is neither BackendStore nor ArtifactStore nor"):
        claims_of(nothing)


def test_a_rule_is_claimed_by_its_level() -> None:
    """Core rules by all, an ability by its method, a grade from the least that names it."""
    none = claims(guarantees=Guarantees(durability="none", tag_reads="eventual"))
    crash = claims()
    power = claims(guarantees=Guarantees(durability="power-loss"), abilities=("SearchesRuns",))
    rules = (CORE, SEARCH, KILL, POWER, TAGS)
    assert [claimed(each, none) for each in rules] == [True, False, False, False, False]
    assert [claimed(each, crash) for each in rules] == [True, False, True, False, True]
    assert [claimed(each, power) for each in rules] == [True] * 5


def test_the_least_claims_leave_core_rules_alone() -> None:
    """A store that claims the least of everything is held to the core and nothing else."""
    least = Guarantees("none", "eventual", "weak", "refused", "none")
    held = {each.id for each in RULES.values() if claimed(each, claims(guarantees=least))}
    assert held == {each.id for each in RULES.values() if each.level == "core"}
