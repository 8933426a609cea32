"""Eight processes that open one new backend store at the same time, and contend in it."""

import multiprocessing
from typing import Any

from trackstore.errors import AlreadyExists, Conflict
from trackstore.model import Batch, Experiment, Metric, Run
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

PROCESSES = 8
SPAWN = multiprocessing.get_context("spawn")
STEPS = 20


def race(url: str) -> None:
    """Let all start at once; one of them gets the name, one the param.  `judge` looks at the rest.

    All contend for an experiment's name, for a run and for its param, and log to it.
    """
    start, results = SPAWN.Barrier(PROCESSES), SPAWN.Queue()
    racers = [
        SPAWN.Process(target=_run, args=(place, url, start, results)) for place in range(PROCESSES)
    ]
    for racer in racers:
        racer.start()
    outcomes = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    for contest in zip(*outcomes, strict=True):
        assert sorted(contest) == ["lost"] * (PROCESSES - 1) + ["won"]


def _run(place: int, url: str, start: Any, results: Any) -> None:
    start.wait()
    try:
        with open_backend_store(url) as store:
            results.put(_contend(place, store))
    except BaseException as error:
        results.put((repr(error), ""))
        raise


def _contend(place: int, store: BackendStore) -> tuple[str, str]:
    name, param = "won", "won"
    try:
        store.create_experiment(Experiment(f"1{place}", "same", "", place, place))
    except AlreadyExists:
        name = "lost"
    home = store.find_experiment("same").id
    store.create_run(Run("shared", home, 1, ""))
    try:
        store.log("shared", Batch(params={"p": f"{place}"}))
    except Conflict:
        param = "lost"
    for step in range(STEPS):
        point = Metric("m", float(place), 0, step)
        store.log("shared", Batch([point], tags={f"{place}": f"{step}"}))
    return name, param


def judge(store: BackendStore) -> None:
    """No point and no tag of any process is lost."""
    points = store.metric_history("shared", "m", None, 1_000).items
    assert len(points) == PROCESSES * STEPS
    assert store.get_run("shared").tags == {f"{place}": "19" for place in range(PROCESSES)}
