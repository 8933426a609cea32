"""What tests look at in a file store."""

from pathlib import Path

from trackstore_backends.file import FileArtifactStore
from trackstore_backends.file.tree import PRIVATE


def paths(store: FileArtifactStore, prefix: str = "") -> list[str]:
    return [info.path for info in store.scan(prefix, None, 10_000, deep=True).items]


def read(store: FileArtifactStore, path: str) -> bytes:
    return b"".join(store.get(path))


def private(root: Path) -> list[Path]:
    """Return what is on its way in or out: neither old versions nor the lock."""
    return [path for path in (root / PRIVATE).iterdir() if path.name not in {"versions", "lock"}]
