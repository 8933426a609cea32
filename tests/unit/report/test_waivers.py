"""The file of waivers is read strictly, and what is wrong with it is said where it is."""

from datetime import date
from pathlib import Path

import pytest

from sample_reports import waiver
from trackstore_conformance.waivers import (
    FILE,
    BadWaivers,
    Waiver,
    of_store,
    parse,
    read_waivers,
    unknown,
)

GOOD = """
[[waive]]
rule = "B-PAG-02"
kind = "bug"
why = "pages begin at an offset"
until = 2027-03-01
"""


def test_a_waiver_is_read() -> None:
    """The day may be a TOML date or its text."""
    expected = Waiver("B-PAG-02", "bug", "pages begin at an offset", date(2027, 3, 1))
    assert parse(GOOD.encode()) == (expected,)
    assert parse(GOOD.replace("2027-03-01", '"2027-03-01"').encode()) == (expected,)


def test_no_file_waives_nothing(tmp_path: Path) -> None:
    """And an empty one neither."""
    assert read_waivers(tmp_path / FILE) == ()
    (tmp_path / FILE).write_text("# none\n")
    assert read_waivers(tmp_path / FILE) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("kind", "kin"), r"number 1 \(B-PAG-02\): .*kin"),
        (GOOD.replace('"bug"', '"lazy"'), "kind is one of bug, unsupported, suite-bug, env"),
        (GOOD.replace("2027-03-01", '"next year"'), "until is a day, such as 2027-03-01"),
        (GOOD.replace('why = "pages begin at an offset"', ""), "required field `why`"),
        (GOOD.replace("until = 2027-03-01", ""), "required field `until`"),
        (GOOD.replace("pages begin at an offset", " "), "why is empty"),
        (GOOD.replace('"B-PAG-02"', '""'), "rule is empty"),
        (GOOD.replace('"B-PAG-02"', "7"), r"number 1 \(7\): .*`rule`"),
        (GOOD.replace("PAG-02", "EXP-01") + "intermittent = true", "intermittent is for races"),
        (GOOD + GOOD, "B-PAG-02 is waived twice"),
        ("[waive]\nrule = 1", "only .*waive.* tables"),
        ("[[waiver]]\nrule = 1", "waiver"),
        ("[[waive]]\nrule = \nwhy = 'a'", "line 2"),
        ("[[waive]]\nrule = 'a'\nrule = 'b'\n", "line 3"),
        ("a=" + "[" * 5_000, "only"),
        ("#" * 200_000, "longer than 100,000 bytes"),
    ],
)
def test_a_file_that_is_not_plain_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """By a typed error with the file's name and the place, whatever is in it."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BadWaivers, match=said) as raised:
        read_waivers(tmp_path / FILE)
    assert str(raised.value).startswith(f"{FILE}: ")
    assert str(tmp_path) not in str(raised.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """Also a folder in the place of the file."""
    with pytest.raises(BadWaivers):
        parse(b"\xff\xfe[[waive]]")
    (tmp_path / FILE).mkdir()
    with pytest.raises(BadWaivers, match=FILE):
        read_waivers(tmp_path / FILE)


def test_a_waiver_may_be_about_one_store() -> None:
    """The narrower one counts where there are two."""
    general, mine = waiver(why="all"), waiver(why="mine", store="MyStore")
    other = waiver("B-PAR-03", store="OtherStore")
    assert of_store([mine, general, other], "MyStore") == (mine,)
    assert of_store([mine, general, other], "OtherStore") == (general, other)


@pytest.mark.parametrize("ident", ["B-PAR-9", "b-par-02", "B-PAR-02 ", "💥"])
def test_a_waiver_of_no_rule_is_told(ident: str) -> None:
    """Also one that is only spelt otherwise, since it would never be matched."""
    assert len(unknown([waiver(ident), waiver()])) == 1
