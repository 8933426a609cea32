"""The matrix of other storages accuses none without a script, and its claims are of rules."""

import re
import tomllib
from pathlib import Path

from trackstore_conformance.spec import RULES

ROOT = Path(__file__).parents[2]
SUBJECTS = ROOT / "tests" / "subjects"
PAGE = (ROOT / "docs" / "matrix.md").read_text()
NOT_CLAIMED = tomllib.loads((SUBJECTS / "not_claimed.toml").read_text())
ADAPTER_LINES = 150
ROW = re.compile(r"^\| ([AB]-[A-Z]+-\d+) (.*)\|$", re.MULTILINE)


def test_every_fail_has_a_script() -> None:
    """As many FAILs as stand in the row of a rule, so many scripts show that rule broken."""
    rows = [row for row in ROW.findall(PAGE) if not row[1].startswith("Sc")]
    assert len(rows) > 60
    for rule, cells in rows:
        shown = {file.name for file in (SUBJECTS / "repros").glob(f"*{slug(rule)}.py")}
        named = {name for name in re.findall(r"`(\w+\.py)`", PAGE) if slug(rule) in name}
        assert named <= shown
        assert cells.count("**FAIL**") <= len(re.findall(rf"\| {rule} \|.*\.py`", PAGE)), rule


def slug(rule: str) -> str:
    return rule.lower().replace("-", "_")


def test_what_is_not_claimed_is_a_rule_and_has_a_reason() -> None:
    """A rule that is no longer in the spec excuses nobody."""
    assert NOT_CLAIMED.keys() == {
        *("mlflow-sql", "mlflow-files", "optuna-rdb", "optuna-journal", "mlflow-log-artifact"),
        *("mlflow-log-artifacts", "fsspec-local", "fsspec-memory"),
    }
    for reasons in NOT_CLAIMED.values():
        assert reasons.keys() <= RULES.keys()
        assert all(reasons.values())


def test_an_adapter_is_small() -> None:
    """What is said of somebody's storage must not be the adapter's doing: it is read in minutes."""
    for file in (SUBJECTS / "src" / "trackstore_subjects").glob("*.py"):
        assert len(file.read_text().splitlines()) <= ADAPTER_LINES, file.name
