"""A report is kept as JSON by its own schema, and read back as what it was."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sample_reports import (
    HISTORY,
    KILL,
    bad_report,
    claims,
    ended,
    good_report,
    report,
    waiver,
    whole_report,
)
from trackstore.registry import open_backend_store
from trackstore_conformance.claims import claims_of
from trackstore_conformance.report import (
    BadReport,
    Report,
    decode,
    encode,
    info_of,
    now,
    read,
)
from trackstore_conformance.report.schema import FILE, made_schema

REPORTS = [
    good_report(),
    whole_report(),
    bad_report(),
    bad_report(waivers=[waiver(), waiver("B-NO-01")], finished=False, stopped_by="Ctrl-C"),
    report(ended("not-exercised", KILL.id), rules=(KILL,), claimed=claims(ephemeral=True)),
    report(rules=()),
]


@pytest.mark.parametrize("each", REPORTS)
def test_a_report_is_read_as_it_was_written(each: Report) -> None:
    """Histories and waivers too."""
    assert decode(encode(each)) == each


@pytest.mark.parametrize("each", REPORTS)
def test_a_report_is_what_its_schema_says(each: Report) -> None:
    """As a validator that is not ours reads it."""
    schema = json.loads(FILE.read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(encode(each)))


@pytest.mark.parametrize("gone", ["format", "grade", "rules", "timing"])
def test_the_schema_refuses_what_is_no_report(gone: str) -> None:
    """A field that is missing, or of another kind, is found."""
    validator = Draft202012Validator(json.loads(FILE.read_text()))
    plain = json.loads(encode(good_report()))
    assert not validator.is_valid({**plain, gone: "other"})
    del plain[gone]
    assert validator.is_valid(plain) == (gone == "format")  # which has a default


def test_the_schema_is_the_current_one() -> None:
    """Nobody edits it, or forgets to make it again."""
    command = "python -m trackstore_conformance.report.schema"
    assert FILE.read_text() == made_schema(), f"the schema is stale: {command}"


def test_what_a_report_tells() -> None:
    """Who was asked, with what, when, and how far it came."""
    found = bad_report(url="x://u:pass@h", finished=False, stopped_by="KeyboardInterrupt")
    plain = json.loads(encode(found))
    assert plain["store"]["url"] == "x://***@h"
    assert (plain["seed"], plain["profile"], plain["spec"]) == (11, "quick", "1.0")
    assert plain["timing"]["finished"] is False
    assert (plain["timing"]["stopped_by"], plain["timing"]["tests_run"]) == ("KeyboardInterrupt", 2)
    first = found.rules[0].counterexample
    assert first is not None
    assert first.history is not None
    assert first.history.calls[0].called == HISTORY.calls[0].called
    assert "\\ud800" in first.said


def test_a_store_is_described_by_its_package() -> None:
    """Class, module, and the distribution that it was installed by, if any."""
    with open_backend_store("memory://described") as store:
        found = info_of(store, "backend", claims_of(store), "memory://described")
        assert (found.name, found.distribution) == ("MemoryBackendStore", "trackstore")
        assert found.version
        mine = type("Mine", (type(store),), {"__module__": "no_such_package"})
        local = info_of(mine.from_url("memory://x"), "backend", claims_of(store), "memory://x")
    assert (local.name, local.distribution, local.version) == ("Mine", None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no report"),
        (b"[]", "no report"),
        (b"{}", "missing required field `format`"),
        (b'{"format": 2}', "format 2, and this version reads 1"),
        (b'{"format": 1}', "missing required field"),
        (b"\xff\xfe", "no report"),
        (b'{"format":' + b"[" * 100_000, "no report"),
        (encode(good_report()).replace(b'"PASS"', b'"PERFECT"', 1), "PERFECT"),
    ],
)
def test_what_is_no_report_is_refused(text: bytes, said: str, tmp_path: Path) -> None:
    """By an error that names the file and not its folder."""
    file = tmp_path / "r.json"
    file.write_bytes(text)
    with pytest.raises(BadReport, match=said) as raised:
        read(file)
    assert str(raised.value).startswith("r.json: ")


def test_a_missing_report_is_named(tmp_path: Path) -> None:
    """With what the system says of it."""
    with pytest.raises(BadReport, match=r"^r\.json: No such file"):
        read(tmp_path / "r.json")


def test_the_time_is_that_of_the_world() -> None:
    """Whole seconds of UTC."""
    assert now().tzinfo is UTC
    assert abs((datetime.now(UTC) - now()).total_seconds()) < 60
