"""The Python in the README and the pages is run, each page in a folder of its own."""

import os
import tempfile
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


def enter_folder(namespace: dict[str, object]) -> None:
    folder = tempfile.TemporaryDirectory(prefix="trackstore-docs-")
    namespace.update(_folder=folder, _before=Path.cwd())
    os.chdir(folder.name)


def leave_folder(namespace: dict[str, object]) -> None:
    os.chdir(str(namespace["_before"]))
    namespace["_folder"].cleanup()  # type: ignore[attr-defined]


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/backends/*.md"],
    setup=enter_folder,
    teardown=leave_folder,
).pytest()
