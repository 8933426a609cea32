"""Processes that get or create an experiment of MLflow's FileStore get different ones."""

import os
import tempfile
from multiprocessing import Pool

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.store.tracking.file_store import FileStore

folder = f"{tempfile.mkdtemp()}/mlruns"
FileStore(folder)


def get_or_create(number: int) -> str:
    store, name = FileStore(folder), f"name {number // 4}"
    try:
        known = store.get_experiment_by_name(name)
        return known.experiment_id if known else store.create_experiment(name)
    except Exception:  # another was faster, or is half there
        return ""


with Pool(4) as pool:
    given = pool.map(get_or_create, range(120), chunksize=1)
names = sum(len({*given[at : at + 4]} - {""}) > 1 for at in range(0, 120, 4))
print(f"SEEN: of 30 names {names} gave more than one experiment" if names else "not seen")
