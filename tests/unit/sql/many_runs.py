"""Many runs that are alike, and what is asked about them."""

import random

from trackstore.model import (
    Batch,
    Comparison,
    Experiment,
    Metric,
    OrderBy,
    Run,
    RunQuery,
    order_image,
)
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.store import SQLBackendStore


def metric(key: str, operator: str, value: float) -> Comparison:
    return Comparison("metric", key, operator, value)


def query(*where: Comparison, order: OrderBy | None = None) -> RunQuery:
    return RunQuery(("1",), where, (order,) if order else ())


MODEL = Comparison("param", "model", "=", "model3")
QUERIES = {
    "by start": query(),
    "by start, one filter": query(metric("a", ">", 0.5)),
    "two filters of a tenth each, by a metric": query(
        metric("a", ">", 0.9), MODEL, order=OrderBy("metric", "b", True)
    ),
    "by the filtered metric": query(metric("a", ">", 0.9), order=OrderBy("metric", "a")),
    "by start, a rare filter": query(Comparison("tag", "unique", "=", "name77")),
    "a rare prefix": query(
        Comparison("tag", "unique", "LIKE", "name77_"), order=OrderBy("metric", "b")
    ),
    "a rare id": query(Comparison("attribute", "run_id", "IN", ("7", "8"))),
    "nothing": query(metric("a", ">", 0.1), metric("b", ">", 2), order=OrderBy("metric", "c")),
    "no such key": query(metric("never", ">", 0), MODEL),
}


def fill(store: SQLBackendStore, runs: int) -> None:
    """Write many runs behind the store's back, for speed."""
    store.create_experiment(Experiment("1", "e", "", 0, 0))
    store.create_run(Run("first", "1", 0, ""))
    first = Batch([Metric(key, 0.0, 0) for key in "abc"], {"model": ""}, {"unique": ""})
    store.log("first", first)
    store._connections.write(lambda session: add_rows(session, runs))


def add_rows(session: Session, runs: int) -> None:
    rng = random.Random(1)
    labels = dict(session.rows("select name, label from labels"))
    numbers = range(2, runs + 2)
    session.run_many(
        "insert into runs (run, id, exp, deleted, status, user_id, start_time, artifact_uri) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        [(number, str(number), 1, 0, "FINISHED", "", number, "") for number in numbers],
    )
    session.run_many(
        "insert into latest (run, label, exp, step, ts, o, start_time) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, labels[key], 1, 0, 0, order_image(rng.random()), number)
            for key in "abc"
            for number in numbers
        ],
    )
    session.run_many(
        "insert into params (run, label, exp, value) values (?, ?, ?, ?)",
        [(number, labels["model"], 1, f"model{rng.randrange(10)}") for number in numbers],
    )
    session.run_many(
        "insert into tags (run, label, exp, value) values (?, ?, ?, ?)",
        [(number, labels["unique"], 1, f"name{number}") for number in numbers],
    )
