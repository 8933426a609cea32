"""How one test of the suite ended, as the verdicts are made of it."""

from typing import Literal

from msgspec import Struct, field

from trackstore_conformance.evidence import Evidence
from trackstore_conformance.history import History

Ending = Literal["passed", "failed", "not-applicable", "not-exercised", "unknown", "not-run"]
"""`not-applicable`: the rule asks for what the store says it has not, such as processes of an
ephemeral one.  `not-exercised`: the suite lacked something, such as strace or a store of its own.
`unknown`: it ran out of time, or the test itself could not be prepared.  `not-run`: the run was
stopped before it, or did not ask for it."""


class Result(Struct, frozen=True):
    """One test, run once."""

    test: str
    rules: tuple[str, ...]
    """The rules that it checks."""
    ending: Ending
    seconds: float
    evidence: Evidence = field(default_factory=Evidence)
    broken: tuple[str, ...] = ()
    """The rules that it found broken: those a `Violation` names, or else all that it checks."""
    reason: str = ""
    """Why it did not run, or in a sentence what it found."""
    detail: str = ""
    """All that was said of a failure."""
    script: str | None = None
    """A program that shows the failure by itself."""
    history: History | None = None
    """What concurrent clients saw when it failed."""
