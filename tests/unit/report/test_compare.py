"""`trackstore conformance compare` sets the reports of several stores side by side."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from sample_reports import (
    CORE,
    HOSTILE,
    OTHER,
    TAGS,
    bad_report,
    claims,
    failed,
    good_report,
    passed,
    report,
)
from trackstore.stores import Guarantees
from trackstore_conformance.cli import app
from trackstore_conformance.report import Report, encode
from trackstore_conformance.report.compare import as_html, as_markdown

EVENTUAL = claims(guarantees=Guarantees("none", "eventual"))
ABSENT = report(passed(CORE.id), failed(TAGS.id), rules=(CORE, TAGS), claimed=EVENTUAL)


def named(each: Report, name: str) -> Report:
    return replace(each, store=replace(each.store, name=name))


def compare(folder: Path, reports: list[Report], *options: str) -> Result:
    files = []
    for number, each in enumerate(reports):
        file = folder / f"{number}.json"
        file.write_bytes(encode(each))
        files.append(str(file))
    return CliRunner().invoke(app, ["compare", *files, *options])


def test_rules_stand_in_rows_and_stores_in_columns(tmp_path: Path) -> None:
    """In the order of the spec; what a store does not claim is no fault, and a gap is empty."""
    done = compare(tmp_path, [named(good_report(), "A"), named(bad_report("x"), "B"), ABSENT])
    assert done.exit_code == 0
    grades, table = done.stdout.split("\n\n")
    assert f"not conformant 1.0: {CORE.id}" in grades
    assert table.splitlines()[0] == "| rule | A | B | MyStore |"
    assert table.splitlines()[2:] == [
        f"| {CORE.id} {CORE.title} | pass | **FAIL** | pass |",
        f"| {OTHER.id} {OTHER.title} | pass | unknown |  |",
        f"| {TAGS.id} {TAGS.title} |  |  | not claimed |",
    ]


def test_stores_of_one_name_are_numbered() -> None:
    """Two runs of one store, say of two versions."""
    assert "| rule | MyStore (1) | MyStore (2) |" in as_markdown([good_report()] * 2)


def test_a_rule_of_another_version_is_shown() -> None:
    """At the end, with the title that its report gave it."""
    strange = replace(good_report().rules[0], rule="B-NEW-1", title="New", verdict="N/A")
    text = as_markdown([replace(good_report(), rules=(*good_report().rules, strange))])
    assert text.splitlines()[-1] == "| B-NEW-1 New | n/a |"


def test_files_are_written(tmp_path: Path) -> None:
    """Markdown and a page; then nothing is printed."""
    options = ["--markdown", str(tmp_path / "m.md"), "--html", str(tmp_path / "m.html")]
    done = compare(tmp_path, [good_report(), ABSENT], *options)
    assert (done.exit_code, done.stdout) == (0, "")
    assert (tmp_path / "m.md").read_text() == as_markdown([good_report(), ABSENT])
    assert "not claimed" in (tmp_path / "m.html").read_text()


def test_no_text_becomes_markup() -> None:
    """Neither in the table of Markdown nor on the page."""
    hostile = named(bad_report(), HOSTILE.replace("\ud800", ""))
    table = as_markdown([hostile])
    assert "<script>" not in table
    assert "\\*a\\*" in table
    rows = [line for line in table.splitlines() if line.startswith(f"| {CORE.id}")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [3]
    assert "<script>" not in as_html([hostile])


@pytest.mark.parametrize("content", [None, b"{}", b"\x00"])
def test_what_is_no_report_is_named(tmp_path: Path, content: bytes | None) -> None:
    """One line on the error stream, exit code 2, and nothing is written."""
    file, target = tmp_path / "bad.json", tmp_path / "m.md"
    if content is not None:
        file.write_bytes(content)
    done = CliRunner().invoke(app, ["compare", str(file), "--markdown", str(target)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: bad.json: ")
    assert len(done.stderr.splitlines()) == 1
    assert not target.exists()


def test_a_table_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """It names the file."""
    done = compare(tmp_path, [good_report()], "--html", str(tmp_path / "no" / "m.html"))
    assert done.exit_code == 2
    assert "m.html: No such file" in done.stderr
