"""The lock that writers of all processes, and of all machines on NFS, take in turn.

It is a record lock of POSIX (`fcntl`), which NFS carries to its server, and on Linux one that
belongs to the open file (`F_OFD_SETLK`).  The older kind belongs to the process: two handles in
one process would not exclude each other, and closing any descriptor of the file would drop it.
The kernel, or the file server, takes the lock back however its owner ends.
"""

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from trackstore.errors import Unavailable
from trackstore_backends.pauses import pauses

WAIT = 60.0
"""How many seconds a writer waits for its turn; only one that was stopped keeps it so long."""

_WHOLE_FILE = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
"""A `struct flock`: from byte 0 to the end, whatever that is."""


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Wait for the lock of an open file, and hold it until the file is closed at the end.

    To wait in the kernel would have no bound, and makes each turn as long as it takes to wake
    the next in the queue; on NFS it means to ask once a second or less.
    """
    try:
        if not any(_taken(descriptor) for _ in pauses(0.0002, 0.005, within=WAIT)):
            raise Unavailable("another process kept the lock for too long; is it stopped?")
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        if sys.platform == "linux":
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE_FILE)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
