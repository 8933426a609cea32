"""A tag of MLflow's FileStore is read as "" while another value is written over it."""

import os
import tempfile
from threading import Thread

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.entities import RunTag
from mlflow.store.tracking.file_store import FileStore

store = FileStore(f"{tempfile.mkdtemp()}/mlruns")
run = store.create_run("0", "ada", 0, [RunTag("t", "value 0")], "a run").info.run_id


def write() -> None:
    for number in range(2_000):
        store.set_tag(run, RunTag("t", f"value {number}"))


(writer := Thread(target=write)).start()
reads = []
while writer.is_alive():
    reads.append(store.get_run(run).data.tags["t"])
empty = reads.count("")
print(f"SEEN: {empty} of {len(reads)} reads gave an empty text" if empty else "not seen")
