"""The reference for local files: copies one as safely as a store does, and does nothing else.

    python benchmarks/copying.py SOURCE DESTINATION

The bytes are streamed, synced under another name, renamed, and the folder is synced.
"""

import os
import sys
from pathlib import Path

CHUNK = 1024 * 1024


def copy(source: Path, destination: Path) -> None:
    part = destination.with_name(f".{destination.name}.part")
    with source.open("rb") as reading, part.open("xb", buffering=0) as writing:
        while chunk := reading.read(CHUNK):
            writing.write(chunk)
        os.fsync(writing.fileno())
    part.replace(destination)
    folder = os.open(destination.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    copy(Path(sys.argv[1]), Path(sys.argv[2]))
