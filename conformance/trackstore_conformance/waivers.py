"""Which rules a plug-in's author knows to be broken: `conformance-waivers.toml`.

    [[waive]]
    rule = "B-PAG-02"
    kind = "bug"
    why = "pages begin at an offset"
    issue = "https://example.org/issues/7"
    until = 2027-03-01

A waived rule is still checked.  A waiver that is not needed, is over, or is of a rule that there is
not, makes a run fail as a broken rule does: so the file never says less than the truth, nor more.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct, ValidationError, convert, toml

from trackstore_conformance.spec import RULES, find_rule

FILE = "conformance-waivers.toml"
LONGEST = 100_000
"""Bytes of a file of waivers."""

WaiverKind = Literal["bug", "unsupported", "suite-bug", "env"]
"""`bug`: of the store.  `unsupported`: it will stay so.  `suite-bug`: the store is right.  `env`:
the rule cannot be checked here."""

RANDOM_KINDS = {"conc", "crash", "fault"}
"""Checks that may find a fault in one run and not in the next."""


class Waiver(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule that may be broken until a day."""

    rule: str
    kind: WaiverKind
    why: str
    until: date
    """The last day."""
    issue: str | None = None
    store: str | None = None
    """The name of the class that it is about; without it, every store of the repository."""
    intermittent: bool = False
    """A race that does not show in every run, so that a run without it is no surprise."""


Waivers = Sequence[Waiver]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    waive: tuple[dict[str, object], ...] = ()


class BadWaivers(ValueError):
    """The file of waivers cannot be read."""


def read_waivers(file: Path) -> Waivers:
    """Return what a file waives; raise `BadWaivers` if it does not say so plainly.

    A missing file waives nothing.
    """
    try:
        if not file.exists():
            return ()
        return parse(file.read_bytes())
    except (BadWaivers, OSError) as error:
        raise BadWaivers(f"{file.name}: {error}") from error


def parse(text: bytes) -> Waivers:
    """Return what the text of a file waives, in its order."""
    if len(text) > LONGEST:
        raise BadWaivers(f"longer than {LONGEST:,} bytes")
    try:
        tables = toml.decode(text, type=_File).waive
    except (ValueError, RecursionError) as error:  # what TOML is not, ends as one of these
        raise BadWaivers(f"{_plain(error)} (only [[waive]] tables stand in it)") from error
    waivers = [_waiver(number, table) for number, table in enumerate(tables, 1)]
    _refuse_doubles(waivers)
    return tuple(waivers)


def _waiver(number: int, table: dict[str, object]) -> Waiver:
    where = f"[[waive]] number {number} ({str(table.get('rule', 'no rule'))[:40]})"
    try:
        waiver = convert(table, Waiver)
    except ValidationError as error:
        raise BadWaivers(f"{where}: {_plain(error)}{_hint(table)}") from error
    for field in ("rule", "why"):
        if not getattr(waiver, field).strip():
            raise BadWaivers(f"{where}: {field} is empty")
    if waiver.intermittent and not may_vary(waiver.rule):
        raise BadWaivers(f"{where}: intermittent is for races, kills and faults")
    return waiver


def _plain(error: Exception) -> str:
    return str(error).replace("`$.", "`").replace(" - at `$`", "")


def _hint(table: dict[str, object]) -> str:
    kind = table.get("kind")
    if "kind" in table and kind not in get_args(WaiverKind):
        return f" (kind is one of {', '.join(get_args(WaiverKind))})"
    if "until" in table and not isinstance(table["until"], date):
        return " (until is a day, such as 2027-03-01)"
    return ""


def may_vary(ident: str) -> bool:
    """Tell if a check of the rule may find a fault in one run and not in the next."""
    return ident in RULES and not RANDOM_KINDS.isdisjoint(RULES[ident].checked)


def _refuse_doubles(waivers: Sequence[Waiver]) -> None:
    seen: set[tuple[str, str | None]] = set()
    for waiver in waivers:
        if (key := (waiver.rule, waiver.store)) in seen:
            raise BadWaivers(f"{waiver.rule} is waived twice")
        seen.add(key)


def of_store(waivers: Waivers, store: str) -> Waivers:
    """Return the waivers that are about the class of this name, each rule's narrowest one."""
    by_rule = {each.rule: each for each in waivers if each.store is None}
    by_rule |= {each.rule: each for each in waivers if each.store == store}
    return tuple(by_rule.values())


def unknown(waivers: Iterable[Waiver]) -> list[str]:
    """Return a sentence for every waiver of a rule that there is not."""
    found = []
    for waiver in waivers:
        try:
            if find_rule(waiver.rule).id != waiver.rule:
                found.append(f"the waiver of {waiver.rule} is not spelt as the rule is")
        except LookupError as error:
            found.append(f"a waiver is of no rule: {error}")
    return found
