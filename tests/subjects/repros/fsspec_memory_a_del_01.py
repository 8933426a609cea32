"""Deleting a folder named `?` from fsspec's memory file system deletes its neighbours too."""

import fsspec

files = fsspec.filesystem("memory")
for folder in ("?", "a", "b"):
    files.pipe_file(f"/store/{folder}/file", b"1")
files.rm("/store/?", recursive=True)
left = files.find("/store")
print("not seen" if len(left) == 2 else f"SEEN: after deleting only `?`, this is left: {left}")
