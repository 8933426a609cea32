from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trackstore_conformance.cli.ending import CANNOT, fail
from trackstore_conformance.doors.by_url import CannotTest, installed, installed_url, targets_of
from trackstore_conformance.doors.documents import write
from trackstore_conformance.doors.running import Effort, run_suite
from trackstore_conformance.report.text import print_summary
from trackstore_conformance.spec import Contract, find_rule, select
from trackstore_conformance.waivers import FILE


class ProfileOption(StrEnum):
    quick = "quick"
    standard = "standard"
    soak = "soak"


class ContractOption(StrEnum):
    backend = "backend"
    artifact = "artifact"
    registry = "registry"
    logged_models = "logged-models"


Target = tuple[str, Contract]
Document = Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False)]


def run(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="The store. {folder} in it becomes an empty folder and {name} a fresh name, so "
            "that each test has a store of its own; without them all tests share the one store, "
            "each in a part that nothing else sees, which is erased at the end.",
        ),
    ] = None,
    *,
    all_installed: Annotated[
        bool, typer.Option("--all-installed", help="Test every store that is installed.")
    ] = False,
    contract: Annotated[
        ContractOption | None, typer.Option(help="Only as this kind of store.")
    ] = None,
    profile: Annotated[
        ProfileOption,
        typer.Option(help="How much is tried: a minute, ten, or hours."),
    ] = ProfileOption.quick,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Repeat the run that printed this seed.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this rule, such as B-PAR-03; may be repeated."),
    ] = None,
    spec: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Judge by the rules of this version.")
    ] = None,
    waivers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            help="Rules known to be broken [default: conformance-waivers.toml, if it is there].",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report for machines.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with all that was found.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a test case for each rule.")
    ] = None,
    badge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the grade, as shields.io shows it.")
    ] = None,
) -> None:
    """Test whether a store keeps its promises.

    Exits with 0 if it keeps all that it claims, 1 if it does not or a check did not come to its
    end, 2 if it cannot be tested, and 3 if nothing was proven.
    """
    effort = Effort(
        profile.value, seed, _known(rule or (), spec), spec, waivers or _usual_waivers()
    )
    files = {"json": json, "html": html, "junit": junit, "badge": badge}
    reports, code = [], 0
    for target in _targets(url, contract, all_installed=all_installed):
        try:
            report = run_suite(*target, effort)
        except CannotTest as error:
            code = max(code, fail(str(error)).exit_code)
            continue
        reports.append(report)
        print_summary(report, Console(), json)
        if report.timing.stopped_by == "KeyboardInterrupt":
            break
    for kind, file in files.items():
        if file is not None:
            for written in write(kind, file, reports):
                typer.echo(f"{kind}: {written}", err=True)
    raise typer.Exit(_worst([code, *(report.grade.exit_code for report in reports)]))


def _known(rules: Sequence[str], spec: str | None) -> tuple[str, ...]:
    try:
        select("backend", spec)
        return tuple(find_rule(each).id for each in rules)
    except LookupError as error:
        raise fail(str(error)) from error


def _usual_waivers() -> Path | None:
    file = Path(FILE)
    return file if file.exists() else None


def _targets(
    url: str | None, contract: ContractOption | None, *, all_installed: bool
) -> list[Target]:
    kind: Contract | None = contract.value if contract else None
    if (url is None) != all_installed:
        raise fail("give the URL of a store, or --all-installed")
    try:
        if url is not None:
            return targets_of(url, kind)
        named, others = installed()
        for scheme in others:
            typer.echo(f"not tested: {scheme}: names no URL to test it by; give one", err=True)
        return [each for scheme in named for each in targets_of(installed_url(scheme), kind)]
    except CannotTest as error:
        raise fail(str(error)) from error


def _worst(codes: Sequence[int]) -> int:
    return next((code for code in (1, CANNOT, 3) if code in codes), 0)
