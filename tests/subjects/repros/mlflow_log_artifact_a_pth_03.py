"""MLflow downloads the file named `a` for the one named ` a`, which it lists beside it."""

import tempfile
from pathlib import Path

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

store, folder = LocalArtifactRepository(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
for name in ("a", " a"):
    (folder / name).write_text(f"this is {name!r}")
    store.log_artifact(str(folder / name))
print("listed:", [info.path for info in store.list_artifacts()])
found = Path(store.download_artifacts(" a")).read_text()
print("not seen" if found == "this is ' a'" else f"SEEN: asked for ' a', got \"{found}\"")
