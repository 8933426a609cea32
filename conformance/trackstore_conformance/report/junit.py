"""A report for machines that read JUnit's XML: a test case for every rule."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from trackstore_conformance.report import Report
from trackstore_conformance.verdicts import RuleVerdict

ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def junit(report: Report) -> bytes:
    """Return the XML; a rule in doubt is an error, and one that was not run is skipped."""
    suite = Element("testsuite", name=_legal(f"trackstore {report.store.name}"))
    suite.set("timestamp", report.timing.started.isoformat())
    for verdict in report.rules:
        _case(suite, verdict)
    for problem in report.problems:
        case = SubElement(suite, "testcase", classname="waivers", name=_legal(problem))
        SubElement(case, "failure", message=_legal(problem))
    for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        suite.set(count, str(len(suite.findall(f".//{tag}"))))
    suite.set("skipped", str(len(suite.findall(".//skipped"))))
    written: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def _case(suite: Element, each: RuleVerdict) -> None:
    case = SubElement(suite, "testcase", classname=each.rule, name=_legal(each.title))
    case.set("time", f"{each.seconds:.3f}")
    said = _legal(f"{each.verdict}: {'; '.join(each.notes)}")
    if each.verdict == "FAIL":
        found = each.counterexample
        failure = SubElement(case, "failure", message=_legal(found.said if found else said))
        failure.text = _legal(found.detail if found else "")
    elif each.verdict == "UNKNOWN" or (each.verdict, each.level) == ("NOT-EXERCISED", "core"):
        SubElement(case, "error", message=said)
    elif each.verdict not in {"PASS", "UNCLAIMED-BUT-HELD"}:
        SubElement(case, "skipped", message=said)


def _legal(text: str) -> str:
    return ILLEGAL.sub("\ufffd", text)
