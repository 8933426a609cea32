"""What a figure was measured on: the machine, the date, the versions, and what fsync costs."""

import datetime as dt
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path


def describe(folder: Path, database: str) -> str:
    """Return one line that belongs above every table."""
    return (
        f"{dt.date.today()}, {os.cpu_count()} cores ({processor()}), "
        f"Python {platform.python_version()}, {database}, "
        f"trackstore {version('trackstore')}, mlflow {version('mlflow')}, "
        f"fsync {fsync_us(folder):.0f} us"
    )


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def fsync_us(folder: Path, times: int = 200) -> float:
    """Return the median time of one 4 KiB write and fdatasync, in microseconds."""
    path = folder / "fsync-probe"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        os.write(descriptor, b"x" * 4096)
        os.fdatasync(descriptor)
        taken.append(time.perf_counter() - begun)
    os.close(descriptor)
    path.unlink()
    return statistics.median(taken) * 1e6
