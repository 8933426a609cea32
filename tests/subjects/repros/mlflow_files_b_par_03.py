"""A param of MLflow's FileStore is written by two clients, each told that it succeeded."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.entities import Param
from mlflow.store.tracking.file_store import FileStore

store, together = FileStore(f"{tempfile.mkdtemp()}/mlruns"), Barrier(2)
run = store.create_run("0", "ada", 0, [], "a run").info.run_id


def write(value: str, number: int) -> bool:
    together.wait()
    try:
        return store.log_batch(run, [], [Param(f"p{number}", value)], []) is None
    except Exception:  # it was refused
        return False


with ThreadPoolExecutor(2) as pool:
    twice = next((n for n in range(2_000) if all(pool.map(write, "12", (n, n)))), None)
print("not seen" if twice is None else f"SEEN: param number {twice} took two values")
