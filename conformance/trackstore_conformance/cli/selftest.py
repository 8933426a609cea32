from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trackstore_conformance.cli.ending import fail
from trackstore_conformance.cli.run import ProfileOption
from trackstore_conformance.mutants import MUTANTS, Broken, find_mutant
from trackstore_conformance.report.kills import as_json, as_markdown, as_table, summary
from trackstore_conformance.selftest import selftest as judge_all


def selftest(
    *,
    profile: Annotated[
        ProfileOption, typer.Option(help="How much is tried to find a mutant.")
    ] = ProfileOption.quick,
    mutant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this mutant, such as NanAsZero; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N")] = 0,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Mutants at a time [default: one for each processor].")
    ] = 0,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what became of each, for machines.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the kill matrix as a page.")
    ] = None,
) -> None:
    """Test the suite: does it find stores that are broken on purpose, each by the rule it breaks?

    Exits with 0 if it is as good as it must be, else with 1: it must find every mutant of a core
    rule, in `quick` nine of ten, and blame no rule near it for 95 of 100.
    """
    chosen = _chosen(mutant or ())
    console = Console(stderr=True)
    with Progress(
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
    ) as shown:
        task = shown.add_task("", total=len(chosen))
        result = judge_all(
            chosen,
            profile.value,
            seed,
            jobs,
            tell=lambda kill: shown.update(task, advance=1, description=kill.mutant),
        )
    Console().print(as_table(result))
    typer.echo(summary(result))
    try:
        for file, made in ((json, as_json), (markdown, as_markdown)):
            if file is not None:
                file.write_text(made(result), encoding="utf-8")
    except OSError as error:
        raise fail(f"cannot write {error.filename}: {error.strerror}") from error
    raise typer.Exit(0 if result.passed else 1)


def _chosen(names: Sequence[str]) -> Sequence[type[Broken]]:
    try:
        return [find_mutant(name) for name in names] or MUTANTS
    except LookupError as error:
        raise fail(str(error)) from error
