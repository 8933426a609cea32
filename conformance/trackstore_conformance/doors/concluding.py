"""What a run of pytest says of each store that it tested, once all tests have run."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import Struct, json

from trackstore_conformance.checks import rules_of_tests
from trackstore_conformance.doors.documents import write
from trackstore_conformance.doors.recording import Record, waivers_of
from trackstore_conformance.effort import settings_of
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.report import Report, Timing, make_report
from trackstore_conformance.spec import select
from trackstore_conformance.verdicts import judge, not_run
from trackstore_conformance.waivers import of_store


class Conclusion(Struct, frozen=True):
    """What is said of one suite."""

    suite: str
    report: Report

    @property
    def fails(self) -> bool:
        """Tell if the run must fail though no test did."""
        nothing = self.report.grade.standing == "nothing-proven" and self.report.timing.finished
        return bool(self.report.problems) or nothing

    def __str__(self) -> str:
        said = [f"{self.suite}: {self.report.grade.text}", *self.report.problems]
        return "\n".join([*said, f"  {self.report.profile}, --store-seed {self.report.seed}"])


def conclude(
    config: pytest.Config, records: Sequence[str], stopped_by: str
) -> tuple[Conclusion, ...]:
    """Return what is said of every suite, and write the reports that were asked for."""
    known = [json.decode(each, type=Record) for each in records]
    suites = dict.fromkeys(each.suite for each in known)
    found = tuple(
        Conclusion(
            suite,
            report_on([each for each in known if each.suite == suite], config, stopped_by),
        )
        for suite in suites
    )
    if named := config.getoption("store_report"):
        write("json", Path(named), [each.report for each in found])
    return found


def report_on(records: Sequence[Record], config: pytest.Config, stopped_by: str) -> Report:
    """Return the report on one store."""
    store, url = records[-1].store, records[-1].url
    version = config.getoption("store_spec")
    asked = {each.upper() for each in config.getoption("store_rule")}
    rules = [each for each in select(store.contract, version) if not asked or each.id in asked]
    tests = {
        name: checked
        for name, checked in rules_of_tests(store.contract).items()
        if not asked.isdisjoint(checked) or not asked
    }
    ran = [each.result for each in records]
    left_out = not_run(tests, ran)
    waivers = of_store(waivers_of(config), store.name)
    started = datetime.fromtimestamp(records[0].began, UTC)
    timing = Timing(
        started=started.replace(microsecond=0),
        seconds=round((datetime.now(UTC) - started) / timedelta(seconds=1), 3),
        finished=not left_out,
        stopped_by=stopped_by,
        tests_run=len(ran),
        tests_in_all=len(tests),
    )
    return make_report(
        store,
        judge([*ran, *left_out], rules, store.claims, waivers, datetime.now(UTC).date()),
        version or max(rule.since for rule in select(store.contract)),
        settings_of(config),
        timing,
        sum((each.evidence for each in ran), Evidence()),
        url,
    )
