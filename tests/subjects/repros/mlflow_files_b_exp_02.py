"""MLflow's FileStore lets several processes create experiments of one name."""

import os
import tempfile
from multiprocessing import Pool

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.store.tracking.file_store import FileStore

folder = f"{tempfile.mkdtemp()}/mlruns"
store = FileStore(folder)


def create(number: int) -> str:
    try:
        return FileStore(folder).create_experiment(f"name {number // 4}")
    except Exception:  # who came too late
        return ""


with Pool(4) as pool:
    pool.map(create, range(120), chunksize=1)
names = [experiment.name for experiment in store.search_experiments()]
twice = [name for name in set(names) if names.count(name) > 1]
print(f"SEEN: {len(twice)} of 30 names have two experiments or more" if twice else "not seen")
