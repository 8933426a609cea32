"""The plug-in's logged and registered models, called by the stock client without a server."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from trackstore.mlflow_plugin import places
from trackstore.mlflow_plugin.gc import deleted_models
from trackstore.mlflow_plugin.tracking import TrackingStore

pytestmark = pytest.mark.filterwarnings("default")
"""What MLflow warns of is its own affair."""

SOURCE = "mlflow-artifacts:/0/r/artifacts/model"


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("MLFLOW_ARTIFACTS_DESTINATION", str(tmp_path / "files"))
    uri = f"trackstore:memory://{tmp_path.name}"
    mlflow.set_tracking_uri(uri)
    yield uri
    mlflow.set_tracking_uri(None)
    places.close_all()


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return MlflowClient()


def code_of(error: pytest.ExceptionInfo[MlflowException]) -> str:
    return error.value.error_code


def test_a_logged_model_is_what_was_logged(client: MlflowClient) -> None:
    """Its params, tags, status, and metrics on a dataset."""
    run = client.create_run("0").info
    made = client.create_logged_model(
        "0", name="net", source_run_id=run.run_id, params={"depth": "3"}, tags={"a": "1"}
    )
    assert made.artifact_location.startswith("trackstore:mlflow-artifacts:/0/models/m-")
    client.log_metric(
        run.run_id,
        "acc",
        0.5,
        step=2,
        model_id=made.model_id,
        dataset_name="d",
        dataset_digest="x",
    )
    client.log_metric(run.run_id, "acc", 0.75, step=3, model_id=made.model_id)
    client.set_logged_model_tags(made.model_id, {"b": "2"})
    client.delete_logged_model_tag(made.model_id, "a")
    client.log_model_params(made.model_id, {"width": "4"})
    client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    found = client.get_logged_model(made.model_id)
    assert (found.name, found.status, found.source_run_id) == ("net", "READY", run.run_id)
    assert (found.params, found.tags) == ({"depth": "3", "width": "4"}, {"b": "2"})
    assert found.metrics is not None
    points = {(each.dataset_name, each.value, each.step, each.run_id) for each in found.metrics}
    assert points == {("d", 0.5, 2, run.run_id), (None, 0.75, 3, run.run_id)}


def test_logged_models_are_searched(client: MlflowClient) -> None:
    """By a filter on the metrics of a dataset, in an order, by pages."""
    run_id = client.create_run("0").info.run_id
    for number in range(4):
        made = client.create_logged_model("0", name=f"net-{number}")
        client.log_metric(
            run_id, "acc", number, model_id=made.model_id, dataset_name="d", dataset_digest="x"
        )
    search = {
        "experiment_ids": ["0"],
        "filter_string": "metrics.acc >= 1",
        "datasets": [{"dataset_name": "d"}],
        "order_by": [{"field_name": "metrics.acc", "ascending": False, "dataset_name": "d"}],
        "max_results": 2,
    }
    page = client.search_logged_models(**search)
    rest = client.search_logged_models(**search, page_token=page.token)
    assert [each.name for each in [*page, *rest]] == ["net-3", "net-2", "net-1"]
    assert rest.token is None


def test_a_deleted_logged_model_is_there_for_gc(client: MlflowClient, uri: str) -> None:
    """Only for those who ask for deleted ones; then it can be erased."""
    made = client.create_logged_model("0", name="net")
    client.delete_logged_model(made.model_id)
    with pytest.raises(MlflowException) as error:
        client.get_logged_model(made.model_id)
    assert code_of(error) == "RESOURCE_DOES_NOT_EXIST"
    store = client._tracking_client.store
    assert isinstance(store, TrackingStore)
    assert store.get_logged_model(made.model_id, allow_deleted=True).name == "net"
    assert store._get_deleted_logged_models() == [made.model_id]
    assert deleted_models(store.tracker, 60_000) == []
    store._hard_delete_logged_model(made.model_id)
    assert store._get_deleted_logged_models() == []


def test_registered_models_and_their_versions(client: MlflowClient) -> None:
    """Numbers, aliases, stages, tags, descriptions, rename and deletion."""
    client.create_registered_model("net", {"team": "a"}, "first")
    for _ in range(2):
        client.create_model_version("net", SOURCE, tags={"v": "1"})
    client.set_registered_model_alias("net", "champion", "2")
    client.set_registered_model_tag("net", "area", "b")
    client.delete_registered_model_tag("net", "team")
    client.update_registered_model("net", "second")
    client.update_model_version("net", "1", "old")
    client.set_model_version_tag("net", "1", "w", "2")
    client.delete_model_version_tag("net", "1", "v")
    client.transition_model_version_stage("net", "1", "staging")
    client.transition_model_version_stage("net", "2", "Staging", archive_existing_versions=True)
    client.rename_registered_model("net", "network")
    model = client.get_registered_model("network")
    assert (model.description, model.tags, dict(model.aliases)) == (
        "second",
        {"area": "b"},
        {"champion": "2"},
    )
    assert [(each.version, each.current_stage) for each in model.latest_versions] == [
        ("1", "Archived"),
        ("2", "Staging"),
    ]
    first = client.get_model_version("network", "1")
    assert (first.description, first.tags, first.run_id) == ("old", {"w": "2"}, None)
    assert client.get_model_version_by_alias("network", "champion").aliases == ["champion"]
    (staged,) = client.get_latest_versions("network", ["Staging"])
    assert staged.version == "2"
    client.delete_registered_model_alias("network", "champion")
    client.delete_model_version("network", "2")
    assert [each.version for each in client.search_model_versions("name = 'network'")] == ["1"]
    client.delete_registered_model("network")
    assert list(client.search_registered_models()) == []
    with pytest.raises(MlflowException) as error:
        client.get_registered_model("network")
    assert code_of(error) == "RESOURCE_DOES_NOT_EXIST"


def test_models_are_searched_by_pages(client: MlflowClient) -> None:
    """And in both directions; prompts are not among them."""
    for name in ("a", "b", "c"):
        client.create_registered_model(name)
    mlflow.genai.register_prompt("greeting", "Hello {{name}}")
    page = client.search_registered_models(order_by=["name DESC"], max_results=2)
    rest = client.search_registered_models(
        order_by=["name DESC"], max_results=2, page_token=page.token
    )
    assert [each.name for each in [*page, *rest]] == ["c", "b", "a"]
    assert mlflow.genai.load_prompt("prompts:/greeting/1").template == "Hello {{name}}"
    assert [each.name for each in mlflow.genai.search_prompts()] == ["greeting"]


def test_a_source_is_kept_as_a_server_would_have_it(client: MlflowClient) -> None:
    """Without the scheme that it has only in a process without a server."""
    client.create_registered_model("net")
    made = client.create_model_version("net", f"trackstore:{SOURCE}")
    assert made.source == f"trackstore:{SOURCE}"
    assert client.get_model_version_download_uri("net", "1") == f"trackstore:{SOURCE}"
    tracker = client._tracking_client.store.tracker
    assert tracker.registry.get_version("net", 1).source == SOURCE


def test_a_registry_of_its_own(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--registry-store-uri` may name another store; runs are looked up in the first."""
    mlflow.set_registry_uri("trackstore:memory://models")
    run = client.create_run("0").info
    other = MlflowClient()
    other.create_registered_model("net")
    made = other.create_model_version("net", f"runs:/{run.run_id}/model", run.run_id)
    assert other.get_model_version_download_uri("net", made.version).endswith("artifacts/model")
    assert list(client._tracking_client.store.tracker.registry.search_models().items) == []
    mlflow.set_registry_uri("")
