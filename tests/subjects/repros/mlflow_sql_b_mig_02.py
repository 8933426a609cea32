"""Processes that start together on a new database of MLflow's SqlAlchemyStore fail."""

import tempfile
from multiprocessing import get_context

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore


def start(folder: str) -> str:
    try:
        SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
    except Exception as error:
        return type(error).__name__
    return ""


if __name__ == "__main__":
    with get_context("spawn").Pool(4) as pool:
        folders = [tempfile.mkdtemp() for _ in range(4)]
        errors = [error for folder in folders for error in pool.map(start, [folder] * 4, 1)]
    failed = [error for error in errors if error]
    print(f"SEEN: {len(failed)} of 16 starts failed: {set(failed)}" if failed else "not seen")
