"""Each document says what the report does, and no text in it can be more than text."""

import json
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace
from rich.console import Console

from sample_reports import (
    CORE,
    HISTORY,
    HOSTILE,
    KILL,
    OTHER,
    TAGS,
    bad_report,
    claims,
    ended,
    failed,
    good_report,
    passed,
    report,
    waiver,
    whole_report,
)
from trackstore.stores import Guarantees
from trackstore_conformance.doors.documents import write
from trackstore_conformance.history import History
from trackstore_conformance.report import Report, read
from trackstore_conformance.report.badge import badge
from trackstore_conformance.report.html import page
from trackstore_conformance.report.junit import junit
from trackstore_conformance.report.text import print_summary

DRAWN = "<svg class='drawn'></svg>"
EVENTUAL = claims(guarantees=Guarantees("none", "eventual"))


def draw(history: History) -> str:
    assert history.calls[0].called == HISTORY.calls[0].called
    return DRAWN


class Elements(HTMLParser):
    """Which elements a page has, what its text is, and whether every one is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(name)
        self.attributes += attrs
        if name != "meta":
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(each: Report, json_file: Path | None = None, width: int = 200) -> str:
    written = StringIO()
    console = Console(file=written, width=width, force_terminal=False)
    print_summary(each, console, json_file)
    return written.getvalue()


def test_a_page_shows_grade_rules_and_effort() -> None:
    """By topic, with what each verdict stands on."""
    found = Elements(page(whole_report(), draw))
    assert found.open == []
    for part in ("conformant 1.0", CORE.title, "PASS", "2 examples, 10 operations", "seed 11"):
        assert part in found.text
    assert found.text.index("Params") < found.text.index(CORE.id)


def test_a_failure_is_shown_with_all_that_proves_it() -> None:
    """The rule's own sentence, the program, the timeline, and a link from the table."""
    text = page(bad_report("it is 2"), draw)
    found = Elements(text)
    assert " ".join(CORE.text.split()) in " ".join(found.text.split())
    assert DRAWN in text
    assert found.text.count("it is 2") >= 3
    assert ("id", CORE.id) in found.attributes
    assert ("href", f"#{CORE.id}") in found.attributes


def test_no_text_becomes_markup() -> None:
    """Tags, entities, quotes, control characters and those that turn text around are escaped."""
    text = page(bad_report(HOSTILE, waivers=[waiver(OTHER.id, why=HOSTILE)]), draw)
    found = Elements(text)
    assert found.open == []
    assert "script" not in found.names
    assert "</pre><script>alert('1')</script> & \"x\"" in found.text
    for character in ("\x00", "\x1b", "\u202e"):
        assert character not in text
    text.encode()


def test_a_page_needs_nothing_from_elsewhere() -> None:
    """No script, no link, no image; a policy that would refuse them; dark and small screens."""
    text = page(bad_report(), draw)
    found = Elements(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(found.names)
    assert not [
        v for k, v in found.attributes if k in {"src", "href"} and not str(v).startswith("#")
    ]
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert "url(" not in text


def test_what_is_not_claimed_is_shown_without_blame() -> None:
    """Folded, after the tables, with its history."""
    text = page(report(failed(TAGS.id, history=HISTORY), rules=(TAGS,), claimed=EVENTUAL), draw)
    assert "failure" not in [v for k, v in Elements(text).attributes if k == "class"]
    assert f"{TAGS.id}, ABSENT" in Elements(text).text
    assert DRAWN in text


def test_a_page_tells_of_waivers_and_gaps() -> None:
    """Reason and end of a waiver, its problems, why a test did not run, how far a run came."""
    each = report(
        failed(CORE.id),
        ended("not-exercised", OTHER.id, reason="no strace"),
        waivers=[waiver(issue="issue 7"), waiver("B-PAR-9")],
        finished=False,
        stopped_by="KeyboardInterrupt",
    )
    text = Elements(page(each, draw)).text
    for part in ("until 2026-12-01 (bug): not yet", "issue 7", "'B-PAR-9'", "no strace"):
        assert part in text
    assert "KeyboardInterrupt after 2 of 2 tests" in text


def test_a_badge_is_the_grade() -> None:
    """In the words and fields that shields.io reads, and no percentage."""
    found = json.loads(badge(whole_report()))
    assert found["schemaVersion"] == 1
    assert (found["label"], found["color"]) == ("trackstore backend", "brightgreen")
    assert found["message"] == whole_report().grade.text
    assert found["message"].startswith("conformant 1.0 · durability: process-crash")
    assert "%" not in badge(whole_report())


@pytest.mark.parametrize(
    ("each", "colour", "part"),
    [
        (bad_report(), "red", CORE.id),
        (whole_report(ended("not-exercised", OTHER.id)), "red", OTHER.id),
        (whole_report(failed(CORE.id), waivers=[waiver()]), "yellow", CORE.id),
        (report(), "red", "nothing proven"),
        (good_report(), "lightgrey", "no other rule was asked"),
        (good_report(finished=False), "red", "cut short"),
    ],
)
def test_a_badge_is_green_for_nothing_less(each: Report, colour: str, part: str) -> None:
    """What is broken, in doubt, not exercised or waived is named, and never green."""
    found = json.loads(badge(each))
    assert found["color"] == colour
    assert part in found["message"]


def test_junit_has_a_case_for_every_rule() -> None:
    """With failures, errors and skips counted as its readers do."""
    results = [failed(CORE.id), ended("unknown", OTHER.id), ended("not-applicable", KILL.id)]
    rules = (CORE, OTHER, KILL, TAGS)
    each = report(*results, passed(TAGS.id), rules=rules, waivers=[waiver("B-PAR-9")])
    suite = ET.fromstring(junit(each))
    assert suite.attrib["tests"] == "5"
    assert [suite.attrib[n] for n in ("failures", "errors", "skipped")] == ["2", "1", "1"]
    cases = {case.attrib["classname"]: case for case in suite}
    failure = cases[CORE.id].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "2 is not 1"
    assert list(cases[TAGS.id]) == []


def test_junit_is_xml_whatever_was_said() -> None:
    """What XML cannot hold is replaced, and the rest is as it was."""
    message = ET.fromstring(junit(bad_report())).findall(".//failure")[0].attrib["message"]
    assert "</pre><script>alert('1')</script> & \"x\" [bold]ä" in message
    assert "\x00" not in message


def test_the_summary_ends_with_the_grade() -> None:
    """After what was tried; a clean run is a few lines."""
    lines = shown(good_report()).splitlines()
    assert lines[-1] == good_report().grade.text
    assert len(lines) < 12
    assert "2 rules in 1.2 min: 2 PASS" in lines[0]


def test_the_summary_says_what_to_do_next() -> None:
    """For each broken rule what was found, how to read about it and how to see it again."""
    found = shown(bad_report("it is 2\nand more"), Path("my reports/r.json"))
    assert f"FAIL {CORE.id}" in found
    assert "it is 2" in found
    assert f"trackstore conformance explain {CORE.id}" in found
    assert f"trackstore conformance replay 'my reports/r.json#{CORE.id}'" in found
    assert "replay" not in shown(bad_report())


def test_the_summary_shows_doubts_and_waivers() -> None:
    """What was in doubt with the reason, and what is waived with its."""
    each = report(
        failed(CORE.id),
        ended("unknown", OTHER.id, reason="took over 60 s"),
        waivers=[waiver(), waiver("B-PAR-9")],
    )
    text = shown(each)
    assert "took over 60 s" in text
    assert "not yet" in text
    assert "no rule has the id 'B-PAR-9'" in text


def test_the_summary_is_text_whatever_was_said() -> None:
    """No escape sequence reaches the terminal, and no markup of rich is obeyed."""
    text = shown(bad_report(), width=80)
    assert "\x1b" not in text
    assert "[bold]" in text.replace("\n", "")


def test_no_report_is_written_over_another(tmp_path: Path) -> None:
    """A store has several contracts, and a run of pytest several stores of one class."""
    one = good_report()
    registry = replace(one, store=replace(one.store, contract="registry"))
    wanted = [one, registry, one]
    files = write("json", tmp_path / "r.json", wanted)
    assert len({*files}) == 3
    assert [read(file) for file in files] == wanted
    assert write("json", tmp_path / "r.json", [one]) == [tmp_path / "r.json"]
