"""A batch that MLflow's SqlAlchemyStore refuses leaves its params behind."""

import tempfile

from mlflow.entities import Metric, Param
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

folder = tempfile.mkdtemp()
store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
run = store.create_run("0", "ada", 0, [], "a run").info.run_id
try:
    store.log_batch(run, [Metric("loss", 1.0, 0, 2**63)], [Param("lr", "0.1")], [])
except Exception as error:
    params = store.get_run(run).data.params
    print(f"log_batch raised {type(error).__name__}")
    print(f"SEEN: the params of the refused batch: {params}" if params else "not seen")
