"""The table of differences names tests that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "migrating-from-mlflow.md"


def test_each_difference_has_its_test() -> None:
    """By file and name."""
    named = re.findall(r"\| `([\w/]+\.py)::(test_\w+)` \|$", PAGE.read_text(), re.MULTILINE)
    rows = re.findall(r"^\| .* \| .* \| .* \| .* \|$", PAGE.read_text(), re.MULTILINE)
    assert len(named) == len(rows) > 10
    for file, name in named:
        assert f"def {name}(" in (TESTS / file).read_text(), (file, name)
