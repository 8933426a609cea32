"""Try a store out, and print each step, what failed, and what to do about it."""

from collections.abc import Callable, Mapping
from contextlib import closing
from importlib.metadata import entry_points
from time import monotonic
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.text import Text

from trackstore.cli.file_probe import ArtifactProbe
from trackstore.cli.probes import BackendProbe, Probe, Wrong
from trackstore.cli.secrets import without_secrets
from trackstore.errors import (
    BackendError,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore.registry import ARTIFACT_STORES, BACKEND_STORES, has_scheme

ADVICE: Mapping[type[Exception], str] = MappingProxyType(
    {
        Wrong: "do not trust this store with data: `trackstore conformance run` says which rules "
        "it breaks",
        PermissionDenied: "let the account that the URL names, or that runs this, make tables or "
        "files there, and read, write and delete them",
        Unavailable: "see that the service runs, and that this machine reaches it at the host and "
        "port of the URL",
        BackendError: "look into the log of the service, or at the disk",
    }
)
"""What to do, by the error; of an error that is two of these, the first counts."""
INDENT = " " * 27


def check(url: str, *, artifacts: bool) -> bool:
    """Try out the store that `url` names; tell if all went well.

    The backend store if there is one for such URLs, unless `artifacts` is set.
    """
    console = Console(highlight=False, soft_wrap=True)
    with closing(_probe(url, artifacts=artifacts)) as probe:
        console.print(Text(f"{without_secrets(url)}: {type(probe.store).__name__}"))
        steps = Steps(console, probe)
        steps.run()
    if steps.denied:
        console.print(f"the account may not: {', '.join(steps.denied)}", style="red")
    return not steps.failed


class Steps:
    """What is done to one store, and how it went."""

    def __init__(self, console: Console, probe: Probe[Any]) -> None:
        self.console = console
        self.probe = probe
        self.failed: list[str] = []
        self.denied: list[str] = []

    def run(self) -> None:
        if not self.is_done(self.probe.open) and "open" not in self.denied:
            return
        for step in self.probe.steps:
            if not self.is_done(step) and step.__name__ in self.probe.vital:
                break
        if not self.is_done(self.probe.remove):
            self.console.print(f"{INDENT}left behind, at least in part: {self.probe.name}")

    def is_done(self, step: Callable[[], str]) -> bool:
        began = monotonic()
        try:
            said, style, word = step(), "green", "ok"
        except (TrackstoreError, Wrong) as error:
            said, style, word = _told(error), "red", "FAILED"
            self.failed.append(step.__name__)
            if isinstance(error, PermissionDenied):
                self.denied.append(step.__name__)
        took = f"{(monotonic() - began) * 1_000:,.0f} ms"
        line = Text(f"  {word:<7}", style=style)
        self.console.print(line.append(f"{step.__name__:<7}{took:>9}  {said}", style="default"))
        return word == "ok"


def _probe(url: str, *, artifacts: bool) -> Probe[Any]:
    return ArtifactProbe(url) if artifacts or _is_of_files(url) else BackendProbe(url)


def _is_of_files(url: str) -> bool:
    """Tell if only artifact stores open such URLs; a plain path is a local folder."""
    scheme = url.partition(":")[0].lower()
    kinds = [
        bool(entry_points(group=each, name=scheme)) for each in (ARTIFACT_STORES, BACKEND_STORES)
    ]
    return not has_scheme(url) or kinds == [True, False]


def _told(error: Exception) -> str:
    advice = next((what for kind, what in ADVICE.items() if isinstance(error, kind)), "")
    return f"{error}" + (f"\n{INDENT}what to do: {advice}" if advice else "")
