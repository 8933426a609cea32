"""A reader of MLflow's SqlAlchemyStore sees a part of a batch: its param and not its tag."""

import tempfile
from threading import Thread

from mlflow.entities import Param, RunTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

folder = tempfile.mkdtemp()
store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
run = store.create_run("0", "ada", 0, [RunTag("written", "0")], "a run").info.run_id


def write() -> None:
    for number in range(1, 200):
        store.log_batch(run, [], [Param(str(number), "1")], [RunTag("written", str(number))])


(writer := Thread(target=write)).start()
reads = []
while writer.is_alive():
    reads.append(store.get_run(run).data)
parts = sum(len(seen.params) != int(seen.tags["written"]) for seen in reads)
print(f"SEEN: {parts} of {len(reads)} reads show a part of a batch" if parts else "not seen")
