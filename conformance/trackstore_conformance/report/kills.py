"""What became of the mutants: as a table, as a page, and for machines."""

import os
import platform
from collections import Counter
from collections.abc import Iterator

from msgspec import json
from rich.table import Table

from trackstore_conformance.selftest import SECONDS, Kill, SelfTest
from trackstore_conformance.spec import RULES

INTRODUCTION = """\
A suite that finds nothing proves nothing. Each of these stores is broken on purpose, in one way: it
wraps a store that is right, and changes what goes in or comes out. It must be found by the tests of
the rule that it breaks, while the rules near that one stay green. `trackstore conformance selftest
--mutant NanAsZero` repeats one line of the table."""


def as_json(result: SelfTest) -> str:
    return json.format(json.encode(result), indent=2).decode() + "\n"


def as_table(result: SelfTest) -> Table:
    """Return what is shown on a terminal: all that went wrong, or that all went well."""
    wrong = [kill for kill in result.kills if kill.blamed or not kill.killed]
    table = Table("mutant", "rule", "", box=None)
    for kill in wrong or result.kills:
        table.add_row(kill.mutant, kill.rule, ending(kill))
    return table


def ending(kill: Kill) -> str:
    if not kill.killed:
        return f"survived{f': {kill.said}' if kill.said else ''}"
    return f"also blamed on {', '.join(kill.blamed)}" if kill.blamed else kill.test


def summary(result: SelfTest) -> str:
    """Return the numbers in a few lines."""
    kills = result.kills
    found = sum(kill.killed for kill in kills)
    core = [kill for kill in kills if kill.core]
    precise = sum(not kill.blamed for kill in kills)
    longest = max(kills, key=lambda kill: kill.seconds)
    work = sum(kill.seconds for kill in kills)
    return (
        f"{found} of {len(kills)} mutants were found, each by the rule it breaks; "
        f"of those of core rules {sum(kill.killed for kill in core)} of {len(core)}.\n"
        f"{precise} of {len(kills)} were blamed on no rule near it.\n"
        f"{work:.0f} s of work, at most {longest.seconds:.1f} s for one ({longest.mutant}; "
        f"{SECONDS[result.profile]:g} s is the aim)."
    )


def as_markdown(result: SelfTest) -> str:
    return "\n".join(page(result)) + "\n"


def page(result: SelfTest) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# The kill matrix"
    yield ""
    command = f"trackstore conformance selftest --profile {result.profile}"
    yield INTRODUCTION
    yield ""
    yield f"Made by `{command} --markdown docs/kill-matrix.md` on {result.date:%Y-%m-%d} with seed"
    yield f"{result.seed}, {machine()}."
    yield ""
    yield summary(result)
    for area, kills in by_area(result.kills):
        yield ""
        yield f"## {area}"
        yield ""
        yield "| mutant | how it is broken | rule | found by | seconds | stayed green |"
        yield "|---|---|---|---|---:|---|"
        yield from map(row, kills)


AREAS = {
    "B": "Backend stores",
    "A": "Artifact stores",
    "R": "Registries of models",
    "L": "Stores of logged models",
}
"""What the rules that begin with a letter are about."""


def by_area(kills: tuple[Kill, ...]) -> Iterator[tuple[str, list[Kill]]]:
    """Yield the mutants by rule, those of backend stores first."""
    order = {ident: place for place, ident in enumerate(RULES)}
    sorted_kills = sorted(kills, key=lambda kill: order[kill.rule])
    for letter, title in AREAS.items():
        if found := [kill for kill in sorted_kills if kill.rule[0] == letter]:
            rules = Counter(kill.rule for kill in found)
            yield f"{title}: {len(found)} mutants, {len(rules)} rules", found


def row(kill: Kill) -> str:
    found = f"`{kill.test}`" if kill.killed else f"**{ending(kill)}**"
    green = [rule for rule in kill.near if rule not in kill.blamed]
    blamed = [f"**not {rule}**" for rule in kill.blamed]
    cells = [
        kill.mutant, kill.about, kill.rule, found, f"{kill.seconds:.1f}", ", ".join(green + blamed),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Say on what it ran, without a name."""
    python = platform.python_version()
    return f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {python}"
