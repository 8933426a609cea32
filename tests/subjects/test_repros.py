"""Each finding in the matrix is shown by a script that knows nothing of trackstore."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(Path(__file__).with_name("repros").glob("*.py"))
LINES = 20
"""The most that a script may have, blank lines aside: it is to be read by whoever it is about."""
TRIES = 5
"""How often a race is run before it is said not to show."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_shows_its_finding(script: Path) -> None:
    """It prints what was seen; a race may need more than one go."""
    said = ""
    for _ in range(TRIES):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(script)],
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        )
        said += done.stdout
        if "SEEN: " in done.stdout:
            return
    raise AssertionError(said)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_stands_alone(script: Path) -> None:
    """It is short, says what it shows, and uses nothing but its subject."""
    text = script.read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= LINES
    assert text.startswith('"""')
    assert "import trackstore" not in text
    assert "from trackstore" not in text
