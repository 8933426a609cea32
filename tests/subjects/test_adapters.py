"""The adapters say what their subjects say: a few rules that all of these promise."""

import pytest

from trackstore.errors import AlreadyExists, NotFound
from trackstore.model import Batch, Experiment, Metric, Run, RunChanges, RunStatus
from trackstore.registry import open_artifact_store, open_backend_store

pytestmark = pytest.mark.filterwarnings("default")
"""What a subject warns of is its own affair."""

TRACKING = ["mlflow-sql", "mlflow-files", "optuna-rdb", "optuna-journal"]
FILES = ["mlflow-log-artifact", "mlflow-log-artifacts", "fsspec-local", "fsspec-memory"]
HOME = Experiment("7", "iris", "a:/7", 5, 6, tags={"owner": "ada"})
RUN = Run("f" * 32, "7", 8, "a:/7/f", "ada", tags={"mlflow.runName": "first", "t": "1"})


@pytest.mark.parametrize("scheme", TRACKING)
def test_what_is_written_is_read_through_another_handle(scheme, tmp_path) -> None:
    """Our ids, times and values are kept, though a subject has ids of its own."""
    with open_backend_store(f"{scheme}://{tmp_path}") as store:
        store.create_experiment(HOME)
        store.create_run(RUN)
        store.log(RUN.id, Batch([Metric("m", 0.5, 0, 3)], {"lr": "0.1"}, {"t": "2"}))
        store.update_run(RUN.id, RunChanges(status=RunStatus.FINISHED))
    with open_backend_store(f"{scheme}://{tmp_path}") as other:
        assert other.find_experiment("iris") == HOME == other.get_experiment("7")
        found = other.get_run(RUN.id)
        assert (found.params, found.tags["t"], found.name) == ({"lr": "0.1"}, "2", "first")
        assert found.status is RunStatus.FINISHED
        assert found.metrics["m"] == Metric("m", 0.5, 0, 3)
        assert other.metric_history(RUN.id, "m", None, 9).items == [Metric("m", 0.5, 0, 3)]
        assert [run.id for run in other.scan_runs("7", None, None, 9).items] == [RUN.id]
        assert [each.id for each in other.scan_experiments(None, None, 9).items] == ["7"]


@pytest.mark.parametrize("scheme", TRACKING)
def test_refusals_are_those_of_the_contract(scheme, tmp_path) -> None:
    """A taken name and an unknown id are told apart from a failure."""
    with open_backend_store(f"{scheme}://{tmp_path}") as store:
        store.create_experiment(HOME)
        with pytest.raises(AlreadyExists):
            store.create_experiment(Experiment("8", "iris", "a:/8", 5, 6))
        with pytest.raises(NotFound):
            store.get_run("0" * 32)
        with pytest.raises(NotFound):
            store.find_experiment("Iris")


@pytest.mark.parametrize("scheme", FILES)
def test_files_are_put_listed_read_and_deleted(scheme, tmp_path) -> None:
    """Whole and in part, in folders, by the same path."""
    with open_artifact_store(f"{scheme}://{tmp_path}") as store:
        store.put("f/a b", [b"01", b"23"])
        store.put("f/a b", [b"0123456789"])
        store.put("g", [b""])
        assert b"".join(store.get("f/a b")) == b"0123456789"
        assert b"".join(store.get("f/a b", 2, 3)) == b"234"
        assert store.get("f/a b", 2, 3).size == store.stat("f/a b").size == 10
        assert [info.path for info in store.scan("", None, 9, deep=True).items] == ["f/a b", "g"]
        assert [info.path for info in store.scan("", None, 9, deep=False).items] == ["f", "g"]
        store.delete("f")
        with pytest.raises(NotFound):
            store.get("f/a b")
