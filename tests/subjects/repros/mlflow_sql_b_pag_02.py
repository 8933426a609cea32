"""Pages of MLflow's SqlAlchemyStore repeat or pass over runs that were there all the time."""

import tempfile

from mlflow.entities import ViewType
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

folder = tempfile.mkdtemp()
store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
runs = [store.create_run("0", "ada", time, [], str(time)).info.run_id for time in range(6)]
first = store.search_runs(["0"], None, ViewType.ACTIVE_ONLY, 3)
shown = [run.info.run_name for run in first]
for run in first[:2]:
    store.delete_run(run.info.run_id)
rest = store.search_runs(["0"], None, ViewType.ACTIVE_ONLY, 3, page_token=first.token)
shown += [run.info.run_name for run in rest]
missed = sorted({str(time) for time in range(6)} - {*shown})
print(f"SEEN: on no page: the runs {missed}" if missed else "not seen")
