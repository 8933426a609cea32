"""A counterexample is judged again from its report alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TRACKSTORE = str(Path(sys.executable).with_name("trackstore"))

BROKEN = """
from trackstore_conformance import BackendStoreTests, Harness
from trackstore_conformance.mutants import find_mutant

MUTANT = find_mutant("TagsInASecondTransaction")


class TestBroken(BackendStoreTests):
    harness = Harness("memory://{folder}", MUTANT.from_url)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a store whose readers see a part of a batch."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "test_broken.py").write_text(BROKEN)
    asked = ["--store-rule", "B-BAT-02", "--store-report", "r.json"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 1, done.stdout
    return folder / "r.json"


def replay(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TRACKSTORE, "conformance", "replay", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_history_is_judged_again_without_the_store(report: Path) -> None:
    """The same rule is found broken in what was recorded, and the calls that prove it are told."""
    done = replay(f"{report}#B-BAT-02")
    assert done.returncode == 1, done.stderr
    assert "judged again: B-BAT-02: " in done.stdout
    assert "to run its tests again: trackstore conformance run" in done.stdout


def test_a_history_that_was_mended_is_not_blamed(report: Path) -> None:
    """The verdict is about the calls: without those that prove it, nothing is found."""
    changed = report.with_name("mended.json")
    whole = json.loads(report.read_text())
    (verdict,) = (each for each in whole["rules"] if each["rule"] == "B-BAT-02")
    verdict["counterexample"]["history"]["calls"] = []
    changed.write_text(json.dumps(whole))
    done = replay(f"{changed}#B-BAT-02")
    assert done.returncode == 0, done.stderr
    assert "nothing is wrong in its 0 calls" in done.stdout


def test_without_a_rule_those_with_a_counterexample_are_listed(report: Path) -> None:
    """And a rule that has none is told of."""
    assert "B-BAT-02  FAIL" in replay(str(report)).stdout
    done = replay(f"{report}#B-PAR-01")
    assert done.returncode == 2
    assert "no counterexample of B-PAR-01: it has B-BAT-02" in done.stderr


def test_a_file_that_is_no_report_is_told(tmp_path: Path) -> None:
    """Also one that is not there."""
    (tmp_path / "x.json").write_text("{}")
    for name in ("x.json", "missing.json"):
        done = replay(f"{tmp_path / name}#B-BAT-02")
        assert done.returncode == 2
        assert name in done.stderr
        assert "Traceback" not in done.stderr
