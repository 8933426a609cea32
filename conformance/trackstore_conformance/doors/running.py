"""Run the suite on one store, in a process of its own, and return the report.

A store that crashes its interpreter, or a Ctrl-C, ends that process: this one tells of it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from trackstore_conformance.doors.by_url import CannotTest, check_opens
from trackstore_conformance.report import Report, read
from trackstore_conformance.spec import Contract

TOLD_AGAIN = 10.0
"""Seconds that a test under way has to clean up."""


class Effort(Struct, frozen=True):
    """How a run was asked for, in the words of the command line."""

    profile: str = "quick"
    seed: int | None = None
    rules: tuple[str, ...] = ()
    spec: str | None = None
    waivers: Path | None = None

    def options(self) -> list[str]:
        """Return the options of the plug-in of pytest that say the same."""
        given = ["--store-profile", self.profile]
        given += [] if self.seed is None else ["--store-seed", str(self.seed)]
        given += [] if self.spec is None else ["--store-spec", self.spec]
        given += [] if self.waivers is None else ["--store-waivers", str(self.waivers.absolute())]
        return given + [word for rule in self.rules for word in ("--store-rule", rule)]


def run_suite(url: str, contract: Contract, effort: Effort) -> Report:
    """Run the suite on the stores that `url` names, and return what it found.

    Raises `CannotTest` if the store does not open, or the suite cannot be run on it.
    """
    folder = Path(tempfile.mkdtemp(prefix="trackstore-conformance-"))
    try:
        (folder / "first").mkdir()
        check_opens(url, contract, folder / "first")
        return _in_a_process(url, contract, effort, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_a_process(url: str, contract: Contract, effort: Effort, folder: Path) -> Report:
    report, said = folder / "report.json", folder / "said.txt"
    with said.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - pytest, with options of ours
            [*_command(folder), *_what(url, contract, report), *effort.options()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            env=_environment(),
            start_new_session=True,  # so that a Ctrl-C reaches it once, and from here
        )
        code = _wait(child)
    if not report.exists():
        told = said.read_text(errors="replace").strip()
        raise CannotTest(f"the suite ended with {_ending(code)}\n{told[-4_000:]}".strip())
    return read(report)


def _command(folder: Path) -> list[str]:
    """Return pytest with the plug-ins of the suite alone, and no settings of anybody's project."""
    plugins = ("no:cacheprovider", "no:terminal", "no:faulthandler")
    ours = ("trackstore_conformance.doors.plugin", "trackstore_conformance.doors.progress")
    named = [word for name in (*plugins, *ours) for word in ("-p", name)]
    places = ["-c", os.devnull, "--rootdir", str(folder), "--basetemp", str(folder / "stores")]
    return [sys.executable, "-m", "pytest", *named, *places]


def _what(url: str, contract: Contract, report: Path) -> list[str]:
    tests = ["--pyargs", "trackstore_conformance.test_by_url"]
    return [*tests, "--store-url", url, "--store-contract", contract, "--store-report", str(report)]


def _environment() -> dict[str, str]:
    theirs = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return {**theirs, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for its end; a Ctrl-C is told to it, which then leaves nothing behind.

    It is told again until the process ends: Python drops an exception that comes in a finalizer.
    """
    patience = None
    while True:
        try:
            return child.wait(patience)
        except KeyboardInterrupt:
            patience = TOLD_AGAIN
        except subprocess.TimeoutExpired:
            pass  # it did not hear
        child.send_signal(signal.SIGINT)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
