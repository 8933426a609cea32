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

FILES = ("backend-1.0.toml", "artifact-1.0.toml")

Level = Literal["core", "ability", "graded"]
Kind = Literal["seq", "corpus", "conc", "crash", "fault", "front"]

KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        "seq": "sequences of calls",
        "corpus": "a corpus of odd values",
        "conc": "races",
        "crash": "kills",
        "fault": "faults",
        "front": "tests of the front",
    }
)
"""How a rule is checked, in words."""


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
        return f"{self.level}{' by' if self.level == 'graded' else ''} `{self.claim}`"


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read together: the rules of one or more areas, in this order."""

    title: str
    areas: tuple[str, ...]


class Spec(Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

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
