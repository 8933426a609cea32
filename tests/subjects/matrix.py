"""Run the suite on other projects' storages and on ours, and write docs/matrix.md.

    python tests/subjects/matrix.py [--profile standard] [--only mlflow-sql ...]

Reports are kept: with `--only` the other columns are made from those of the last run.
"""

import argparse
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from trackstore_conformance.doors.by_url import CannotTest
from trackstore_conformance.doors.running import Effort, run_suite
from trackstore_conformance.report import Report, by_rule, encode, read
from trackstore_conformance.report.words import seconds
from trackstore_conformance.spec import RULES
from trackstore_conformance.verdicts import RuleVerdict

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "matrix.md"
REPORTS = HERE.parents[1] / ".conformance" / "matrix"
NOT_CLAIMED = tomllib.loads((HERE / "not_claimed.toml").read_text())
MARK = "<!-- made by tests/subjects/matrix.py: below this line nothing is written by hand -->"
PACKAGES = ("trackstore", "mlflow", "optuna", "fsspec", "SQLAlchemy")
TRIES = 5


class Column(Struct, frozen=True):
    """A storage that is tested."""

    contract: str
    url: str
    heading: str
    ours: bool = False
    like: str = ""
    """The scheme of a storage whose scripts show what is wrong with this one too."""

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0]

    @property
    def name(self) -> str:
        return "memory-artifacts" if self.heading == "artifacts in memory" else self.scheme

    def not_claimed(self) -> dict[str, str]:
        """Return the rules that it does not promise, each with the reason."""
        return NOT_CLAIMED.get(self.scheme, {})


COLUMNS = (
    Column("backend", "memory://{folder}", "memory", ours=True),
    Column("backend", "sqlite:///{folder}/store.db", "SQLite", ours=True),
    Column("backend", "mlflow-sql://{folder}", "MLflow SQL"),
    Column("backend", "mlflow-files://{folder}", "MLflow files"),
    Column("backend", "optuna-rdb://{folder}", "Optuna RDB"),
    Column("backend", "optuna-journal://{folder}", "Optuna journal"),
    Column("artifact", "memory://{folder}", "artifacts in memory", ours=True),
    Column("artifact", "file://{folder}/artifacts", "file", ours=True),
    Column("artifact", "mlflow-log-artifact://{folder}", "MLflow `log_artifact`"),
    Column(
        "artifact",
        "mlflow-log-artifacts://{folder}",
        "MLflow `log_artifacts`",
        like="mlflow-log-artifact",
    ),
    Column("artifact", "fsspec-local://{folder}", "fsspec local"),
    Column("artifact", "fsspec-memory://{folder}", "fsspec memory"),
)
UNPROMISED = {"not claimed", "held"}
WORDS = {"PASS": "pass", "UNCLAIMED-BUT-HELD": "held", "ABSENT": "not claimed", "N/A": "n/a"}


def word(column: Column, each: RuleVerdict | None) -> str:
    """Return what may fairly be said: FAIL is for what somebody relies on, and is broken."""
    if each is None:
        return ""
    if each.verdict == "FAIL" and not column.ours:
        if is_not_offered(each):
            return "not offered"
        return "not claimed" if each.rule in column.not_claimed() else "**FAIL**"
    if each.verdict == "PASS" and each.rule in column.not_claimed():
        return "held"
    return WORDS.get(each.verdict, each.verdict.lower())


def is_not_offered(each: RuleVerdict) -> bool:
    """Tell if the test ended where the subject has no such operation."""
    return each.counterexample is not None and "Unsupported" in each.counterexample.said


def report_on(column: Column, effort: Effort, folder: Path, *, again: bool) -> Report:
    """Return the report that is kept of a column, or make it."""
    file = folder / f"{column.name}-{effort.profile}.json"
    if again or not file.exists():
        report = run_suite(column.url, column.contract, effort)
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(report))
    return read(file)


def shown_by(script: Path) -> str:
    """Run a script until it shows its finding, and return what it says it has seen."""
    for _ in range(TRIES):
        command = [sys.executable, "-W", "ignore", str(script)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        for line in done.stdout.splitlines():
            if line.startswith("SEEN: "):
                return line.removeprefix("SEEN: ")
    return ""


def script_for(column: Column, rule: str) -> Path:
    """Return the script that shows a rule broken, which may be missing."""
    names = [
        f"{scheme}_{rule}".lower().replace("-", "_") for scheme in (column.scheme, column.like)
    ]
    own, shared = (HERE / "repros" / f"{name}.py" for name in names)
    return shared if shared.exists() and not own.exists() else own


def table(contract: str, reports: dict[Column, Report]) -> Iterator[str]:
    columns = [column for column in reports if column.contract == contract]
    yield "| rule | " + " | ".join(column.heading for column in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    verdicts = [by_rule(reports[column]) for column in columns]
    for ident, rule in RULES.items():
        found = [each.get(ident) for each in verdicts]
        if any(each and each.verdict != "UNTESTED" for each in found):
            words = [word(c, each) for c, each in zip(columns, found, strict=True)]
            yield f"| {ident} {rule.title} | " + " | ".join(words) + " |"


def effort_of(reports: dict[Column, Report]) -> Iterator[str]:
    """Yield when each column was made, and what stands behind it."""
    yield "| storage | run | tried |"
    yield "|---|---|---|"
    for column, report in reports.items():
        timing = report.timing
        tried = f"{timing.tests_run} tests: {report.evidence}, in {seconds(timing.seconds)}"
        yield f"| {column.heading} | {timing.started:%Y-%m-%d %H:%M} UTC | {tried} |"


def findings(reports: dict[Column, Report]) -> Iterator[str]:
    """Yield a line for every script, with what it saw just now."""
    yield "| storage | rule | seen | script |"
    yield "|---|---|---|---|"
    for column, report in reports.items():
        for ident in () if column.ours else by_rule(report):
            script = script_for(column, ident)
            if script.exists():
                said = shown_by(script) or "nothing, this time"
                yield f"| {column.heading} | {ident} | {said} | `{script.name}` |"


def reasons(reports: dict[Column, Report]) -> Iterator[str]:
    """Yield why a rule that stands as "not claimed" or "held" is not promised."""
    for column, report in reports.items():
        verdicts, why = by_rule(report), column.not_claimed()
        told = [i for i in RULES if i in why and word(column, verdicts.get(i)) in UNPROMISED]
        if told:
            yield f"\n**{column.heading}**\n"
            yield from (f"* {ident}: {why[ident]}" for ident in told)


def unproven(reports: dict[Column, Report]) -> list[str]:
    """Return every FAIL of somebody else's storage that no script shows."""
    return [
        f"{column.heading}, {ident}: {script_for(column, ident).name} is missing"
        for column, report in reports.items()
        for ident, each in by_rule(report).items()
        if word(column, each) == "**FAIL**" and not column.ours
        if not script_for(column, ident).exists()
    ]


def made_page(reports: dict[Column, Report], profile: str) -> str:
    introduction, mark, _ = PAGE.read_text().partition(MARK)
    assert mark, f"{PAGE.name} has no line {MARK}"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    lines = [
        f"\n{datetime.now(UTC):%Y-%m-%d}, profile `{profile}`, {python}, {os.cpu_count()} cores.",
        f"{packages}.",
        "\n## Backend stores\n",
        *table("backend", reports),
        "\n## Artifact stores\n",
        *table("artifact", reports),
        "\n## What was tried\n",
        *effort_of(reports),
        "\n## Findings, each with a script\n",
        *findings(reports),
        "\n## What is not claimed, and why\n",
        *reasons(reports),
    ]
    return introduction + mark + "\n".join(["", *lines]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", default="quick", choices=["quick", "standard", "soak"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reports", type=Path, default=REPORTS, help="where they are kept")
    parser.add_argument("--only", nargs="*", help="run these again, such as mlflow-sql")
    asked = parser.parse_args(arguments)
    effort, reports = Effort(asked.profile, asked.seed), {}
    for number, column in enumerate(COLUMNS, 1):
        print(f"[{number}/{len(COLUMNS)}] {column.name}", flush=True)
        again = asked.only is None or column.name in asked.only
        try:
            reports[column] = report_on(column, effort, asked.reports, again=again)
        except CannotTest as error:
            sys.exit(f"{column.name}: {error}")
    PAGE.write_text(made_page(reports, asked.profile))
    if missing := unproven(reports):
        sys.exit("\n".join(missing))


if __name__ == "__main__":
    main()
