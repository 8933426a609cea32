"""What the documents for people say in the same words."""

from collections.abc import Iterator

from trackstore_conformance.report import Report
from trackstore_conformance.verdicts import RuleVerdict


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what a reader must know to weigh a report, each fact with its name."""
    store, timing = report.store, report.timing
    package = f", {store.distribution} {store.version}" if store.distribution else ""
    yield "store", f"{store.module}.{store.name}{package}"
    yield "url", store.url
    yield "rules", f"{store.contract} {report.spec}, of trackstore {report.suite}"
    yield "run", f"{report.profile}, seed {report.seed}, {timing.started:%Y-%m-%d %H:%M} UTC"
    yield "tried", f"{report.evidence}, in {seconds(timing.seconds)}"
    where = report.platform
    yield "on", f"Python {where.python}, {where.system} {where.machine}"
    if not timing.finished:
        tests = f"after {timing.tests_run} of {timing.tests_in_all} tests"
        yield "not finished", f"{timing.stopped_by or 'stopped'} {tests}"


def effort_of(each: RuleVerdict) -> str:
    """Say what stands behind a verdict."""
    if not each.tests:
        return "nothing"
    tests = f"{len(each.tests)} test{'s' if len(each.tests) > 1 else ''}"
    return f"{each.evidence} ({tests}, {seconds(each.seconds)})"


def seconds(number: float) -> str:
    return f"{number:.1f} s" if number < 60 else f"{number / 60:.1f} min"
