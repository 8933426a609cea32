"""What holds for all tests: which skips are allowed, and code in the pages is run."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

EXPECTED = (
    "N/A",
    "this store keeps nothing in its folder",
    "it takes a store of its own",
    "PostgreSQL 15 is not installed",
)
"""What the reason of a skip may say: a loss of power is not played on a store behind a network, of
a server all tests use the same stores, and of PostgreSQL the newest is there by pip, Debian 12's
only on Debian 12."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skip is a failure, unless its reason is an expected one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if not any(each in reason for each in EXPECTED):
            report.outcome = "failed"
            report.longrepr = f"skipped under CI: {reason}"
    return report


def enter_folder(namespace: dict[str, object]) -> None:
    folder = tempfile.TemporaryDirectory(prefix="trackstore-docs-")
    namespace.update(_folder=folder, _before=Path.cwd())
    os.chdir(folder.name)


def leave_folder(namespace: dict[str, object]) -> None:
    os.chdir(str(namespace["_before"]))
    namespace["_folder"].cleanup()  # type: ignore[attr-defined]


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/backends/*.md"],
    setup=enter_folder,
    teardown=leave_folder,
).pytest()
