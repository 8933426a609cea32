"""Fault scripts, which are data: `scripts.toml` beside this module."""

from collections.abc import Mapping
from importlib.resources import files
from random import Random
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, toml

from trackstore_conformance.faults.proxy import Action, Fault, Sides

Idempotency = Literal["natural", "keyed", "none"]
"""What a repetition of a call does: nothing more, by its nature; nothing more, because its id is
known; or something else, such as an error."""

Ending = Literal["done", "none", "unknown"]
"""The call returned, or raised an error with this `outcome`."""


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens while a call is under way, and how the call may end."""

    name: str
    says: str
    action: Action
    classes: tuple[Idempotency, ...]
    """The operations that it is played on."""
    legal: tuple[Ending, ...]
    side: Sides = "request"
    share: float = 0.0
    after: int = 0
    """Bytes of the request or the reply that pass before it strikes."""
    lasting: bool = False
    moves_much: bool = False
    """It is played on large files too, whatever the profile."""
    waits: bool = False
    """A call ends by the store's own timeout."""
    overtaken: bool = False
    """Before the client knows, another one forbids what the call does, as by deleting its run."""
    damages: bool = False
    """What arrives is not what was sent: TCP's own checksum is all that a store need rely on."""

    @property
    def repeats(self) -> bool:
        """Tell if it strikes one exchange, so that it is played on the first, the second..."""
        return not self.lasting and self.action not in {"refuse", "drop"}

    def fault(self, exchange: int, random: Random) -> Fault:
        """Return what strikes this exchange; where it damages, a bit that `random` chooses."""
        share = random.random() if self.damages else self.share
        return Fault(self.action, self.side, exchange, share, self.lasting, after=self.after)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    script: tuple[Script, ...]


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        script.name: script
        for script in toml.decode(
            files(__package__).joinpath("scripts.toml").read_bytes(), type=_File
        ).script
    }
)
