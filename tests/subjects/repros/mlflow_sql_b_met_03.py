"""The latest value of a metric is NaN in MLflow's SqlAlchemyStore, though there is a number."""

import math
import tempfile

from mlflow.entities import Metric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

folder = tempfile.mkdtemp()
store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
for other in (1.0, -1.0):
    run = store.create_run("0", "ada", 0, [], "a run").info.run_id
    for value in (other, math.nan):
        store.log_metric(run, Metric("loss", value, 0, 0))
    latest = store.get_run(run).data.metrics["loss"]
    print(f"{'SEEN: ' if math.isnan(latest) else ''}of {other} and NaN the latest is {latest}")
