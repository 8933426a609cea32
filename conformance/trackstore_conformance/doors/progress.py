"""A plug-in of pytest that shows how far the suite is, instead of what pytest shows."""

import sys

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LONGEST = 70


class Bar:
    """One line that moves, and a line that stays for every test that fails."""

    def __init__(self) -> None:
        self.shown = Progress(
            BarColumn(24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(file=sys.__stderr__),
            transient=True,
        )
        self.task = self.shown.add_task("collecting", total=None)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.shown.update(self.task, total=len(session.items))
        self.shown.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        name = nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        self.shown.update(self.task, description=name[:LONGEST])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.shown.console.print(f"failed: {report.nodeid.rpartition('::')[2]}", style="red")

    def pytest_runtest_logfinish(self) -> None:
        self.shown.advance(self.task)

    def pytest_unconfigure(self) -> None:
        self.shown.stop()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Bar(), "trackstore progress")
