"""What pytest tells of the tests of a suite, as results."""

from contextlib import AbstractContextManager
from typing import Any

import pytest
from msgspec import Struct, json, to_builtins

from trackstore_conformance.bench import Bench
from trackstore_conformance.claims import claimed
from trackstore_conformance.doors.by_url import contracts_of
from trackstore_conformance.doors.timing import at_most
from trackstore_conformance.effort import settings_of
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.report import StoreInfo
from trackstore_conformance.report.redact import in_all_texts, writable
from trackstore_conformance.results import Ending, Result
from trackstore_conformance.rules import Check, check_of
from trackstore_conformance.skips import NOT_APPLICABLE
from trackstore_conformance.spec import RULES, Contract, find_rule
from trackstore_conformance.suites import BENCH
from trackstore_conformance.violations import OutOfTime, Violation
from trackstore_conformance.waivers import FILE, BadWaivers, Waivers, of_store, read_waivers

WAIVERS = pytest.StashKey[Waivers]()


class Record(Struct, frozen=True):
    """A result, and whose it is."""

    suite: str
    """The node of the class, as pytest names it."""
    began: float
    """When the test did: seconds since the epoch."""
    url: str
    store: StoreInfo
    result: Result


def keep_chosen(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave in `items` the tests that are asked for."""
    waivers_of(config)  # so that a file that is wrong is told of before anything is run
    asked = [item for item in items if _is_of_the_url(item, config)]
    wanted = {_rule(ident) for ident in config.getoption("store_rule")}
    left = [each for each in asked if not wanted or not wanted.isdisjoint(_check(each).rules)]
    config.hook.pytest_deselected(items=[item for item in items if item not in left])
    items[:] = left


def _is_of_the_url(item: pytest.Item, config: pytest.Config) -> bool:
    """Tell if the test is of a contract that the store at `--store-url` has.

    All others are: they are of a class that names its stores itself.
    """
    if "harness_of_the_url" not in getattr(item, "fixturenames", ()):
        return True
    url = config.getoption("store_url")
    if not url:
        raise pytest.UsageError("say which store to test: --store-url URL")
    contract = config.getoption("store_contract")
    wanted = (contract,) if contract else contracts_of(url)
    suite = getattr(item, "cls", None)
    return suite is not None and contract_of(suite) in wanted


def contract_of(suite: type) -> Contract:
    found: Contract = suite.contract  # type: ignore[attr-defined]  # every suite says which
    return found


def _rule(ident: str) -> str:
    try:
        return find_rule(ident).id
    except LookupError as error:
        raise pytest.UsageError(f"--store-rule: {error}") from error


def waivers_of(config: pytest.Config) -> Waivers:
    """Return what is waived in the project that is tested."""
    if WAIVERS not in config.stash:
        config.stash[WAIVERS] = _read_waivers(config)
    return config.stash[WAIVERS]


def _read_waivers(config: pytest.Config) -> Waivers:
    try:
        return read_waivers(config.rootpath / (config.getoption("store_waivers") or FILE))
    except BadWaivers as error:
        raise pytest.UsageError(str(error)) from error


def _check(item: pytest.Item) -> Check:
    return check_of(getattr(item, "function", None)) or Check((), "seq")


def time_limit(config: pytest.Config) -> AbstractContextManager[None]:
    return at_most(settings_of(config).profile.seconds_per_test)


def record(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Add to `report` what it means, and let what the store does not claim be no failure.

    A test whose store could not be made has no record: pytest says so, and it counts as not run.
    """
    bench = item.stash.get(BENCH, None)
    if bench is None or (report.when != "call" and report.passed):
        return
    result = result_of(item, call, report, bench)
    suite = item.nodeid.rpartition("::")[0]
    kept = Record(suite, call.start, bench.harness.url, bench.info, result)
    told = json.encode(in_all_texts(to_builtins(kept), writable)).decode()
    report.trackstore = [told]  # type: ignore[attr-defined]  # xdist sends it, being plain data
    if report.failed and result.ending == "failed":
        excuse(report, result, bench.info, waivers_of(item.config))


def excuse(report: pytest.TestReport, result: Result, store: StoreInfo, waivers: Waivers) -> None:
    """Make a failure an expected one if each of the rules it breaks is not claimed, or waived."""
    waived = {each.rule for each in of_store(waivers, store.name)}
    unclaimed = {i for i in result.broken if not claimed(RULES[i], store.claims)}
    if set(result.broken) <= waived | unclaimed:
        report.outcome = "skipped"
        report.wasxfail = "not claimed" if unclaimed else "waived"


def result_of(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, bench: Bench[Any]
) -> Result:
    """Return how a test ended, when it ran or could not be."""
    error = None if call.excinfo is None else call.excinfo.value
    violation = error if isinstance(error, Violation) else None
    rules = _check(item).rules
    ending = ending_of(report, error)
    broken = violation.rules if violation else rules
    return Result(
        item.name,
        rules,
        ending,
        call.duration,
        bench.evidence if bench.evidence.examples else bench.evidence + Evidence(examples=1),
        broken=broken if ending == "failed" else (),
        reason=reason_of(report, error),
        detail=report.longreprtext if report.failed else "",
        script=violation.script if violation else None,
        history=violation.history if violation else None,
    )


def ending_of(report: pytest.TestReport, error: BaseException | None) -> Ending:
    if report.passed:
        return "passed"
    if report.skipped:
        return "not-applicable" if str(error).startswith(NOT_APPLICABLE) else "not-exercised"
    if report.when != "call" or isinstance(error, OutOfTime):
        return "unknown"
    return "failed"


def reason_of(report: pytest.TestReport, error: BaseException | None) -> str:
    """Say in a sentence why a test did not pass."""
    if report.passed or error is None:
        return ""
    said = str(error).strip().partition("\n")[0]
    plain = report.skipped or isinstance(error, Violation | OutOfTime)
    return said if plain else f"{type(error).__name__}: {said}"
