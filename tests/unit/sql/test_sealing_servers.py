"""Points are sealed on database servers as they are in a file."""

import threading

import pytest

from sealed import open_eagerly
from trackstore.history import columns_by_pages, downsample_by_pages
from trackstore.model import Batch, Experiment, LifecycleStage, Metric, Run, RunChanges, RunStatus
from trackstore_backends.memory import MemoryBackendStore
from trackstore_conformance.outcomes import seen

ENDED = RunChanges(status=RunStatus.FINISHED)
DELETED = RunChanges(lifecycle_stage=LifecycleStage.DELETED)
EVERY_STEP = -(2**63), 2**63 - 1
WORKERS, STEPS = 4, 40
ODD = [
    Metric("m", value, time, step)
    for step in (-(2**63), -1, 0, 1, 2**63 - 1)
    for time in (0, 2**63 - 1)
    for value in (float("nan"), float("-inf"), -1.5, 0.0, 5e-324, float("inf"))
]


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def server_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


def test_any_points_are_read_as_they_were_logged(server_url: str) -> None:
    """Pages, columns and charts, of points that came late, again and in between."""
    with open_eagerly(server_url) as store, MemoryBackendStore.from_url("memory:") as model:
        for each in (store, model):
            each.create_experiment(Experiment("1", "e", "", 0, 0))
            each.create_run(Run("r", "1", 0, ""))
            for batch in (ODD[::3], ODD[1::3], None, ODD[::2], None, ODD[:7], ODD, None):
                if batch is None:
                    each.update_run("r", ENDED)
                else:
                    each.log("r", Batch(batch))
        for limit in (1, 7, 1_000):
            after = None
            while True:
                page = model.metric_history("r", "m", after, limit)
                assert seen(store.metric_history("r", "m", after, limit)) == seen(page)
                expected = columns_by_pages(model, "r", "m", after, limit)
                assert seen(store.metric_columns("r", "m", after, limit)) == seen(expected)
                if (after := page.next) is None:
                    break
        for steps in (EVERY_STEP, (-1, 1), (0, 0), (2, 2**63 - 1)):
            for most in (2, 9, 100):
                expected = downsample_by_pages(model, "r", "m", steps, most)
                assert seen(store.downsample_history("r", "m", steps, most)) == seen(expected)


def test_handles_that_write_while_points_are_sealed(server_url: str) -> None:
    """No point is lost or read twice while four handles log into one run and end it."""
    with open_eagerly(server_url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))

        def write(worker: int) -> None:
            with open_eagerly(server_url) as mine:
                for place in range(STEPS):
                    mine.log("r", Batch([Metric("m", 1.0, 0, WORKERS * place + worker)]))
                    if place % 5 == 0:
                        mine.update_run("r", ENDED)

        writers = [threading.Thread(target=write, args=(number,)) for number in range(WORKERS)]
        for thread in writers:
            thread.start()
        while any(thread.is_alive() for thread in writers):
            found = list(store.metric_columns("r", "m", None, 10_000).steps)
            assert found == sorted(set(found))
        store.update_run("r", ENDED)
        assert list(store.metric_columns("r", "m", None, 10_000).steps) == list(
            range(WORKERS * STEPS)
        )
        store.update_run("r", DELETED)
        store.purge_run("r")
        store.create_run(Run("r", "1", 0, ""))
        assert not store.metric_columns("r", "m", None, 10).steps
