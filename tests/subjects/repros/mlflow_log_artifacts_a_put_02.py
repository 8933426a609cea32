"""A reader of a file that MLflow's `log_artifacts` overwrites finds a part of it."""

import tempfile
from pathlib import Path
from threading import Thread

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

store = LocalArtifactRepository(tempfile.mkdtemp())
folder, whole = Path(tempfile.mkdtemp()), bytes(1 << 20)
(folder / "checkpoint").write_bytes(whole)
store.log_artifacts(str(folder))


def write() -> None:
    for _ in range(500):
        store.log_artifacts(str(folder))


(writer := Thread(target=write)).start()
sizes = [Path(store.download_artifacts("checkpoint")).stat().st_size for _ in range(5_000)]
short = sum(size < len(whole) for size in sizes)
print(f"SEEN: {short} of {len(sizes)} reads were short" if short else "not seen")
