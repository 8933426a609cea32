"""A server's process, for as long as a test needs it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]


@contextmanager
def running_server(module: str = "line_store.server", *options: str) -> Iterator[int]:
    """Start a server, and yield its port; it is killed at the end, as its store bears it."""
    command = [sys.executable, "-m", module, *options]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
