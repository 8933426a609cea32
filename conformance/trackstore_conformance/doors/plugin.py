"""The plug-in of pytest: options that say what to test and how hard, and a record of the outcome.

It is loaded into every run of pytest on a machine that has the suite, so it imports what is heavy
only where a test of the suite is run.
"""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from random import SystemRandom
from threading import current_thread, main_thread
from typing import Any

import pytest

PROFILES = ("quick", "standard", "soak")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("trackstore", "the conformance suite of trackstore")
    group.addoption(
        "--store-url",
        metavar="URL",
        help="with --pyargs trackstore_conformance: the store to test; {folder} in it becomes an "
        "empty folder and {name} a fresh name, so that each test has a store of its own",
    )
    group.addoption(
        "--store-contract",
        choices=("backend", "artifact", "registry", "logged-models"),
        help="with --store-url: which contract to test, if stores of several open such URLs",
    )
    group.addoption(
        "--store-profile",
        choices=PROFILES,
        default="quick",
        help="how much is tried (default: quick, a minute at most)",
    )
    group.addoption(
        "--store-seed",
        type=int,
        metavar="N",
        help="repeat the run that printed this seed (default: a fresh one; under CI 0)",
    )
    group.addoption(
        "--store-rule",
        action="append",
        default=[],
        metavar="ID",
        help="run only the tests that check this rule, such as B-PAR-03; may be repeated",
    )
    group.addoption(
        "--store-report",
        metavar="FILE",
        help="write verdicts, evidence and counterexamples as JSON, a file for each store",
    )
    group.addoption(
        "--store-spec",
        metavar="VERSION",
        help="judge by the rules of this version of the contract (default: the newest)",
    )
    group.addoption(
        "--store-waivers",
        metavar="FILE",
        help="rules known to be broken (default: conformance-waivers.toml, if it is there)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Keep the tests of the rules that are asked for, and be ready to record them."""
    if any(_is_check(item) for item in items):
        from trackstore_conformance.doors.recording import keep_chosen

        keep_chosen(config, items)
    return (yield)


def _is_check(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "function", None), "__check__")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    if not _is_check(item):
        return (yield)
    from trackstore_conformance.doors.recording import time_limit

    with time_limit(item.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _is_check(item):
        from trackstore_conformance.doors.recording import record

        record(item, call, report)
    return report


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # of xdist: it is given the seed, and its reports go to the process that gave it
    if config.option.store_seed is None:
        config.option.store_seed = 0 if os.environ.get("CI") else SystemRandom().randrange(2**32)
    config.pluginmanager.register(Conclusions(config), "trackstore conclusions")


@contextmanager
def _not_interrupted() -> Generator[None]:
    """Let no Ctrl-C cost the report; only the main thread ever gets one."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Conclusions:
    """Judges what was recorded, once all has been run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.records: list[str] = []
        self.interrupted = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.records += getattr(report, "trackstore", ())

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.interrupted = excinfo.typename

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.records:
            from trackstore_conformance.doors.concluding import conclude

            with _not_interrupted():
                self.conclusions = conclude(self.config, self.records, self.interrupted)
            if session.exitstatus == pytest.ExitCode.OK and any(
                each.fails for each in self.conclusions
            ):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for each in getattr(self, "conclusions", ()):
            terminalreporter.write_line(str(each))
