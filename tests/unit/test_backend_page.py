"""The page on writing a backend shows the code of the package that passes the suite."""

import re
from pathlib import Path

from trackstore.stores import ArtifactStore, BackendStore

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "writing-a-backend.md").read_text()
FENCE = re.compile(r"```(py|toml)\n(.*?)```", re.DOTALL)


def test_its_code_is_that_of_the_package() -> None:
    """Every excerpt stands word for word in a file that is tested."""
    folders = (ROOT / "tests" / "plugin_package", ROOT / "tests" / "conformance")
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    tested = "\n".join(f.read_text() for f in files if f.suffix in {".py", ".toml"})
    excerpts = [code for _, code in FENCE.findall(PAGE)]
    assert len(excerpts) > 5
    for code in excerpts:
        assert code in tested, code


def test_its_numbers_are_right() -> None:
    """As many methods as it says."""
    opening = {"from_url", "close"}
    assert len(BackendStore.__abstractmethods__ - opening) == 13
    assert len(ArtifactStore.__abstractmethods__ - opening) == 5
