"""Small results, verdicts and reports, made by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from trackstore.stores import Guarantees
from trackstore_conformance.claims import Claims
from trackstore_conformance.effort import Settings
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.history import Call, History
from trackstore_conformance.report import Report, StoreInfo, Timing, make_report
from trackstore_conformance.report.redact import redacted
from trackstore_conformance.results import Result
from trackstore_conformance.spec import RULES, Rule, select
from trackstore_conformance.verdicts import judge
from trackstore_conformance.waivers import Waiver

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CORE, OTHER, SEARCH = RULES["B-PAR-02"], RULES["B-PAR-03"], RULES["B-SRC-01"]
KILL, POWER, TAGS = RULES["B-DUR-01"], RULES["B-DUR-02"], RULES["B-TAG-02"]
HOSTILE = "</pre><script>alert('1')</script> & \"x\" [bold]ä\u202e💥\x00\x1b[31m]]> | *a* \ud800"
HISTORY = History("tag", (Call(0, "write <b>tag</b>", {"key": HOSTILE}, 5, 9, "ok", "v"),), 7)


def passed(*rules: str, **fields: Any) -> Result:
    given = {"evidence": Evidence(examples=2, operations=10), **fields}
    return Result("test_" + "_".join(rules), rules, "passed", 0.5, **given)


def failed(*rules: str, **fields: Any) -> Result:
    given = {"broken": rules, "reason": "2 is not 1", "evidence": Evidence(operations=1), **fields}
    return Result("test_bad_" + "_".join(rules), rules, "failed", 1.5, **given)


def ended(ending: Any, *rules: str, reason: str = "because") -> Result:
    return Result(f"test_{ending}", rules, ending, 0.25, reason=reason)


def claims(**fields: Any) -> Claims:
    guarantees = Guarantees(durability="process-crash")
    return Claims(**{"contracts": ("backend",), "guarantees": guarantees, **fields})


def waiver(rule: str = CORE.id, **fields: Any) -> Waiver:
    given = {"kind": "bug", "why": "not yet", "until": date(2026, 12, 1), **fields}
    return Waiver(rule=rule, **given)


def report(
    *results: Result,
    rules: Sequence[Rule] = (CORE, OTHER),
    url: str = "memory://",
    waivers: Sequence[Waiver] = (),
    claimed: Claims | None = None,
    **timing: Any,
) -> Report:
    mine = claimed or claims()
    given = {"seconds": 75.0, "tests_run": len(results), "tests_in_all": len(results), **timing}
    return make_report(
        StoreInfo("MyStore", "my.store", "backend", mine, redacted(url), "my-store", "0.3"),
        judge(results, rules, mine, waivers, TODAY),
        "1.0",
        Settings(seed=11),
        Timing(NOW, **given),
        sum((each.evidence for each in results), Evidence()),
        url,
    )


def bad_report(text: str = HOSTILE, **fields: Any) -> Report:
    """A report in which a rule is broken, and every text that a store can choose is `text`."""
    bad = failed(CORE.id, reason=text, detail=text, script=text, history=HISTORY)
    return report(bad, ended("unknown", OTHER.id, reason=text), **fields)


def good_report(**fields: Any) -> Report:
    """A report of two rules that were asked for, and hold."""
    return report(passed(CORE.id), passed(OTHER.id), **fields)


def whole_report(*results: Result, **fields: Any) -> Report:
    """A report of every rule; those that `results` say nothing of hold."""
    rules = select("backend")
    told = {ident for each in results for ident in each.rules}
    held = [passed(each.id) for each in rules if each.id not in told and not each.untested]
    return report(*results, *held, rules=rules, **fields)
