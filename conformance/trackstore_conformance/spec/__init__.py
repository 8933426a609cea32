"""The rules of the contract, as data: the TOML files beside this module, as frozen values.

One file is one version of one contract.  `docs/contract.md` and `trackstore conformance explain`
are made from them, and `@rule` knows no others.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field, toml
from msgspec.structs import force_setattr

FILES = (
    "backend-1.0.toml",
    "artifact-1.0.toml",
    "registry-1.0.toml",
    "logged-models-1.0.toml",
)

Level = Literal["core", "ability", "graded"]
Kind = Literal["seq", "conc", "crash", "fault", "front"]

KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        "seq": "sequences of calls",
        "conc": "races",
        "crash": "kills",
        "fault": "faults",
        "front": "tests of the front",
    }
)
"""How a rule is checked, in words: each is an engine of the suite, save the last."""


Contract = Literal["backend", "artifact", "registry", "logged-models"]
"""As the `contract` of a spec."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a store promises."""

    id: str
    title: str
    level: Level
    since: str
    """The version of the contract that it came with."""
    checked: tuple[Kind, ...]
    """How it is checked, or how it would be if it is `untested`."""
    text: str
    """What must be, with MUST, SHOULD or MAY."""
    rationale: str
    claim: str | None = None
    """The protocol of an ability, or the field of `Guarantees` by which it is graded."""
    grade: str | None = None
    """Of a graded rule: the least value of that field that claims it."""
    rev: int = 1
    """Raised by one whenever what the rule demands is changed; `spec.lock` holds that."""
    untested: str | None = None
    """Why no test of the suite checks it."""

    def __post_init__(self) -> None:
        for name in ("text", "rationale"):
            force_setattr(self, name, " ".join(getattr(self, name).split()))

    @property
    def area(self) -> str:
        return self.id.split("-")[1]

    @property
    def binding(self) -> str:
        """Say whom the rule binds: all stores, those with an ability, or those that claim it."""
        if self.level == "core":
            return "core"
        least = f": {self.grade}" if self.level == "graded" else ""
        return f"{self.level} `{self.claim}{least}`"


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read together: the rules of one or more areas, in this order."""

    title: str
    areas: tuple[str, ...]


class Spec(Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    contract: Contract
    """What its stores are."""
    version: str
    """The version of the contract, and the greatest `since` of a rule."""
    topics: tuple[Topic, ...] = field(name="topic")
    rules: tuple[Rule, ...] = field(name="rule")


def _load(name: str) -> Spec:
    return toml.decode(files(__name__).joinpath(name).read_bytes(), type=Spec)


SPECS = tuple(map(_load, FILES))
RULES: Mapping[str, Rule] = MappingProxyType({r.id: r for spec in SPECS for r in spec.rules})
"""Every rule by its id, in the order of the files."""


def by_topic() -> Iterator[tuple[Topic, list[Rule]]]:
    """Yield the topics in the order of the files, each with its rules."""
    for spec in SPECS:
        for topic in spec.topics:
            yield topic, [rule for rule in spec.rules if rule.area in topic.areas]


def select(contract: str, version: str | None = None) -> tuple[Rule, ...]:
    """Return the rules of a contract as of a version of it, or of the newest.

    Raises `LookupError` if there is no such contract, or no such version of it.
    """
    spec = next((each for each in SPECS if each.contract == contract), None)
    if spec is None:
        raise LookupError(f"no spec is about {contract!r}")
    known = sorted({rule.since for rule in spec.rules} | {spec.version}, key=_numbers)
    if version is not None and version not in known:
        raise LookupError(
            f"the {contract} spec has no version {version[:40]!r}: {', '.join(known)}"
        )
    asked = _numbers(version or spec.version)
    return tuple(rule for rule in spec.rules if _numbers(rule.since) <= asked)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def find_rule(ident: str) -> Rule:
    """Return the rule of this id, or raise `LookupError`, which names those that are like it."""
    found = RULES.get(ident.strip().upper())
    if found is None:
        like = [f"{each} ({RULES[each].title})" for each in _like(ident)]
        hint = f"; like it: {', '.join(like)}" if like else ""
        raise LookupError(f"no rule has the id {ident[:40]!r}{hint}")
    return found


def _like(ident: str) -> list[str]:
    return get_close_matches(ident.strip().upper()[:40], RULES, n=4, cutoff=0.7)
