"""MLflow lists a file named `a%20b`, and downloads the file named `a b` in its stead."""

import tempfile
from pathlib import Path

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

store, folder = LocalArtifactRepository(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
for name in ("a b", "a%20b"):
    (folder / name).write_text(f"this is {name}")
    store.log_artifact(str(folder / name))
print("listed:", [info.path for info in store.list_artifacts()])
found = Path(store.download_artifacts("a%20b")).read_text()
print("not seen" if found == "this is a%20b" else f"SEEN: asked for `a%20b`, got `{found}`")
