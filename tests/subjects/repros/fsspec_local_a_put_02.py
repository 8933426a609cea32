"""A reader of a file that fsspec's local file system overwrites finds a part of it."""

import tempfile
from threading import Thread

import fsspec

files = fsspec.filesystem("file")
path, whole = f"{tempfile.mkdtemp()}/checkpoint", bytes(1 << 20)
files.pipe_file(path, whole)


def write() -> None:
    for _ in range(500):
        files.pipe_file(path, whole)


(writer := Thread(target=write)).start()
sizes = []
while writer.is_alive():
    sizes.append(len(files.cat_file(path)))
short = sum(size < len(whole) for size in sizes)
print(f"SEEN: {short} of {len(sizes)} reads were short" if short else "not seen")
