import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from trackstore_conformance.bench import ArtifactBench, BackendBench
from trackstore_conformance.cli.ending import fail
from trackstore_conformance.doors.by_url import CannotTest, harness_for, targets_of
from trackstore_conformance.doors.smoke import steps_of
from trackstore_conformance.effort import Settings
from trackstore_conformance.model_benches import LoggedModelBench, RegistryBench
from trackstore_conformance.report.redact import scrubber
from trackstore_conformance.spec import Contract

BENCHES: dict[Contract, Any] = {
    "backend": BackendBench,
    "artifact": ArtifactBench,
    "registry": RegistryBench,
    "logged-models": LoggedModelBench,
}


def smoke(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The store, as for `trackstore conformance run`.")
    ],
) -> None:
    """Try in seconds whether a store opens, writes and reads at all.

    What fails here, a wrong URL or a server that is not there, would fail everywhere in the suite.
    """
    try:
        targets = targets_of(url)
    except CannotTest as error:
        raise fail(str(error)) from error
    for target, contract in targets:
        typer.echo(f"as {contract} store")
        if not _passes(target, contract):
            raise typer.Exit(1)
    typer.echo("It answers. Now: trackstore conformance run")


def _passes(url: str, contract: Contract) -> bool:
    with tempfile.TemporaryDirectory(prefix="trackstore-smoke-") as folder:
        bench = BENCHES[contract](harness_for(url, contract), Path(folder), Settings())
        passed = True
        for step in steps_of(bench):
            mark = "ok    " if step.error is None else "FAILED"
            typer.echo(f"  {mark} {step.what} ({step.seconds * 1_000:.0f} ms)")
            if step.error is not None:
                said = scrubber(url)(f"{type(step.error).__name__}: {step.error}")
                typer.echo(f"         {said}", err=True)
                passed = False
        if passed:
            bench.clear()
        return passed
