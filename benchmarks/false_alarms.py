"""Run the suite again and again on stores that are right: every alarm is a false one.

    python benchmarks/false_alarms.py memory 1000
    python benchmarks/false_alarms.py sqlite 100
    python benchmarks/false_alarms.py --table docs/false-alarms.md

Each run has a seed of its own.  Its outcome is kept in .conformance/false-alarms.jsonl as soon as
it is known, so that a command that was stopped goes on where it was; an alarm keeps its report.
"""

import argparse
import datetime as dt
import json
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from machine import processor
from rich.progress import track

from trackstore_conformance.doors.by_url import targets_of
from trackstore_conformance.doors.running import Effort, run_suite
from trackstore_conformance.report import Report, encode

KEPT = Path(".conformance")
LOG = KEPT / "false-alarms.jsonl"
GOOD = {"conformant"}

Line = dict[str, str | float]


def kept() -> list[Line]:
    return [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []


def go_on(scheme: str, runs: int, profile: str) -> None:
    """Run what is missing of the runs with the seeds 1 to `runs`."""
    KEPT.mkdir(exist_ok=True)
    for url, contract in targets_of(scheme):
        done = {each["seed"] for each in kept() if each["store"] == f"{scheme} {contract}"}
        left = [seed for seed in range(1, runs + 1) if seed not in done]
        for seed in track(left, description=f"{scheme} as {contract} store"):
            report = run_suite(url, contract, Effort(profile, seed))
            keep(f"{scheme} {contract}", report)


def keep(store: str, report: Report) -> None:
    line: Line = {
        "store": store,
        "seed": report.seed,
        "profile": report.profile,
        "grade": report.grade.standing,
        "said": report.grade.text,
        "seconds": report.timing.seconds,
        "date": report.timing.started.date().isoformat(),
    }
    with LOG.open("a") as log:
        log.write(json.dumps(line) + "\n")
    if report.grade.standing not in GOOD:
        file = KEPT / f"alarm-{store.replace(' ', '-')}-{report.seed}.json"
        file.write_bytes(encode(report))
        print(f"alarm: {report.grade.text}: {file}")


def table() -> Iterator[str]:
    yield "| store | profile | runs | false alarms | seconds a run (median) | when |"
    yield "|---|---|---|---|---|---|"
    lines = kept()
    for store, profile in sorted({(str(e["store"]), str(e["profile"])) for e in lines}):
        mine = [each for each in lines if (each["store"], each["profile"]) == (store, profile)]
        alarms = sum(each["grade"] not in GOOD for each in mine)
        middle = statistics.median(float(each["seconds"]) for each in mine)
        days = sorted({str(each["date"]) for each in mine})
        when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        yield f"| {store} | {profile} | {len(mine):,} | {alarms} | {middle:.1f} | {when} |"


def page() -> str:
    return "\n".join(
        [
            "# False alarms",
            "",
            "An alarm of a store that is right would make every other one worth less. So the suite",
            "is run again and again, each time with another seed, on stores that keep every rule.",
            "",
            *table(),
            "",
            f"Machine: {processor()}, {os.cpu_count()} cores. Made on {dt.date.today()} by",
            "`python benchmarks/false_alarms.py`, which can be stopped and goes on where it was.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("store", nargs="?", help="a scheme: memory, sqlite, file")
    parser.add_argument("runs", nargs="?", type=int, default=100)
    parser.add_argument("--profile", default="quick", choices=["quick", "standard", "soak"])
    parser.add_argument("--table", type=Path, help="write the page of all runs so far")
    asked = parser.parse_args()
    if asked.store:
        go_on(asked.store, asked.runs, asked.profile)
    if asked.table:
        asked.table.write_text(page())
    else:
        print("\n".join(table()))


if __name__ == "__main__":
    main()
