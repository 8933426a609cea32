"""MLflow's SqlAlchemyStore keeps an infinite metric as the greatest finite double."""

import math
import tempfile

from mlflow.entities import Metric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

folder = tempfile.mkdtemp()
store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
run = store.create_run("0", "ada", 0, [], "a run").info.run_id
store.log_metric(run, Metric("loss", math.inf, 0, 0))
found = store.get_run(run).data.metrics["loss"]
print(f"{'not seen' if found == math.inf else 'SEEN'}: inf was logged and {found} is read")
