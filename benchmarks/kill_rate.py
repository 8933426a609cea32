"""How surely races are found: each mutant that is wrong only for several clients at once, N times.

    python benchmarks/kill_rate.py --runs 100
    python benchmarks/kill_rate.py --table docs/kill-rate.md

Each run has a seed of its own, and tries what the profile `quick` does.  Outcomes are kept in
.conformance/kill-rate.jsonl, so that a command that was stopped goes on where it was.
"""

import argparse
import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path

from machine import processor
from msgspec.structs import replace
from rich.progress import track

from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.mutants import MUTANTS, Broken, find_mutant
from trackstore_conformance.selftest import found_by, suite_of
from trackstore_conformance.spec import RULES

LOG = Path(".conformance") / "kill-rate.jsonl"
QUICK = replace(PROFILES["quick"], shrinks=False)


def races() -> list[type[Broken]]:
    """Return the mutants of rules that only concurrent clients can check, or that are so made."""
    return [
        m
        for m in MUTANTS
        if RULES[m.killed_by].checked == ("conc",) or "concurrent" in m.__module__
    ]


def kept() -> list[dict[str, object]]:
    return [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []


def go_on(runs: int) -> None:
    LOG.parent.mkdir(exist_ok=True)
    done = {(each["mutant"], each["seed"]) for each in kept()}
    left = [
        (seed, m) for seed in range(1, runs + 1) for m in races() if (m.__name__, seed) not in done
    ]
    for seed, mutant in track(left, description="races"):
        failure = found_by(suite_of(mutant), mutant.killed_by, Settings(QUICK, seed))
        line = {
            "mutant": mutant.__name__,
            "seed": seed,
            "found_by": failure.test if failure else None,
            "date": dt.date.today().isoformat(),
        }
        with LOG.open("a") as log:
            log.write(json.dumps(line) + "\n")


def table() -> Iterator[str]:
    yield "| mutant | rule | found | of runs |"
    yield "|---|---|---:|---:|"
    lines = kept()
    for name in dict.fromkeys(str(each["mutant"]) for each in lines):
        mine = [each for each in lines if each["mutant"] == name]
        found = sum(each["found_by"] is not None for each in mine)
        yield f"| {name} | {find_mutant(name).killed_by} | {found} | {len(mine)} |"


def page() -> str:
    days = sorted({str(each["date"]) for each in kept()})
    return "\n".join(
        [
            "# How surely races are found",
            "",
            "A race is found or not by chance, and a suite that finds one in half of its runs is",
            "no suite. So every store that is wrong only for several clients at once is tried",
            "again and again, each time with another seed and the effort of `quick`.",
            "",
            *table(),
            "",
            f"Machine: {processor()}, {os.cpu_count()} cores. Made from {days[0]} to {days[-1]} by",
            "`python benchmarks/kill_rate.py`, which can be stopped and goes on where it was.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=0, help="of each mutant, those kept included")
    parser.add_argument("--table", type=Path, help="write the page of all runs so far")
    asked = parser.parse_args()
    go_on(asked.runs)
    if asked.table:
        asked.table.write_text(page())
    else:
        print("\n".join(table()))


if __name__ == "__main__":
    main()
