"""What a store says of itself, which decides the rules that bind it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from msgspec import Struct, ValidationError, convert
from msgspec.structs import asdict

from trackstore.abilities import OPTIONAL_ABILITIES
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.stores import ArtifactStore, BackendStore, Guarantees, Store
from trackstore_conformance.spec import Contract, Rule

CONTRACTS: Mapping[Contract, type[Store]] = MappingProxyType(
    {
        "backend": BackendStore,
        "artifact": ArtifactStore,
        "registry": RegistryStore,
        "logged-models": LoggedModelStore,
    }
)

GRADES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: get_args(hint) for name, hint in get_type_hints(Guarantees).items()}
)
"""The values that each field of `Guarantees` may have, the least first."""


class Claims(Struct, frozen=True):
    """What one store claims."""

    contracts: tuple[Contract, ...]
    """Those that it implements; a class may be several kinds of store."""
    guarantees: Guarantees = Guarantees()
    abilities: tuple[str, ...] = ()
    """The names of the optional protocols that it has."""
    ephemeral: bool = False
    version: tuple[int, int] = (1, 0)
    """Of the contract, as its class states it."""


class BadClaims(ValueError):
    """What a store says of itself cannot be read, so that nothing can be held against it."""


def claims_of(store: Store) -> Claims:
    """Return what a store claims.

    Raises `BadClaims` if it is no store, or claims a grade that there is not.
    """
    contracts = tuple(name for name, kind in CONTRACTS.items() if isinstance(store, kind))
    who = type(store).__name__
    if not contracts:
        wanted = " nor ".join(kind.__name__ for kind in CONTRACTS.values())
        raise BadClaims(f"{who} is neither {wanted}")
    guarantees: object = store.guarantees
    if not isinstance(guarantees, Guarantees):
        raise BadClaims(f"{who}.guarantees is no trackstore.stores.Guarantees")
    try:
        return convert(
            {
                "contracts": contracts,
                "guarantees": asdict(guarantees),
                "abilities": tuple(a.__name__ for a in OPTIONAL_ABILITIES if isinstance(store, a)),
                "ephemeral": store.ephemeral,
                "version": store.contract,
            },
            Claims,
        )
    except ValidationError as error:
        raise BadClaims(f"{who} makes a claim that there is not: {error}") from error


def claimed(rule: Rule, claims: Claims) -> bool:
    """Tell if a store must hold a rule."""
    if rule.level == "ability":
        return rule.claim in claims.abilities
    if rule.level == "graded":
        assert rule.claim is not None
        return reaches(rule, getattr(claims.guarantees, rule.claim))
    return True


def reaches(rule: Rule, grade: Any) -> bool:
    """Tell if a grade is at least the one from which a graded rule is claimed."""
    assert rule.claim is not None
    order = GRADES[rule.claim]
    return order.index(grade) >= order.index(rule.grade)


def replaces(store: Store) -> bool:
    """Tell if an artifact store claims that a put replaces what was there."""
    return store.guarantees.artifact_overwrite != "refused"
