"""A file that many processes append lines to, one at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Journal:
    """Lines that are read in the order in which they were written; a torn last one is no line.

    Each use opens the file, so that nothing is held that a fork could share.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_up_to = 0

    @contextmanager
    def locked(self, take: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
        """Lock the file, give `take` each line that is new, and yield what appends one."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            for line in self._new_lines(file):
                take(line)
                self.read_up_to += len(line)
            yield lambda line: self._append(file, line)
        finally:
            os.close(file)

    def _new_lines(self, file: int) -> list[bytes]:
        size = os.fstat(file).st_size
        *whole, torn = os.pread(file, size - self.read_up_to, self.read_up_to).split(b"\n")
        if torn:  # its writer was killed, and nobody was told that it succeeded
            os.ftruncate(file, size - len(torn))
        return [line + b"\n" for line in whole]

    def _append(self, file: int, line: bytes) -> None:
        while line:
            written = os.pwrite(file, line, self.read_up_to)
            self.read_up_to += written
            line = line[written:]
        os.fsync(file)
