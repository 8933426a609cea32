"""The backend store of a server, with its registered and logged models."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.stores import Guarantees
from trackstore_backends.http.client import Client
from trackstore_backends.http.urls import parsed


def _on_server(name: str) -> Callable[..., Any]:
    def call(self: "HTTPBackendStore", *args: Any) -> Any:
        return self.client.call(name, *args)

    return call


class HTTPBackendStore(LoggedModelStore, RegistryStore):
    """How well a write is kept is the server's store's matter; this says what the least is."""

    guarantees: ClassVar = Guarantees(durability="process-crash", transfer="checked")

    def __init__(self, client: Client) -> None:
        self.client = client

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Client(parsed(url)))

    def close(self) -> None:
        self.client.gate.close()

    create_experiment = _on_server("create_experiment")
    get_experiment = _on_server("get_experiment")
    find_experiment = _on_server("find_experiment")
    update_experiment = _on_server("update_experiment")
    scan_experiments = _on_server("scan_experiments")
    create_run = _on_server("create_run")
    get_run = _on_server("get_run")
    update_run = _on_server("update_run")
    scan_runs = _on_server("scan_runs")
    search_runs = _on_server("search_runs")
    log = _on_server("log")
    metric_history = _on_server("metric_history")
    metric_columns = _on_server("metric_columns")
    downsample_history = _on_server("downsample_history")
    purge_run = _on_server("purge_run")
    purge_experiment = _on_server("purge_experiment")

    create_logged_model = _on_server("create_logged_model")
    get_logged_model = _on_server("get_logged_model")
    update_logged_model = _on_server("update_logged_model")
    scan_logged_models = _on_server("scan_logged_models")
    purge_logged_model = _on_server("purge_logged_model")

    create_registered_model = _on_server("create_registered_model")
    get_registered_model = _on_server("get_registered_model")
    update_registered_model = _on_server("update_registered_model")
    delete_registered_model = _on_server("delete_registered_model")
    scan_registered_models = _on_server("scan_registered_models")
    create_model_version = _on_server("create_model_version")
    get_model_version = _on_server("get_model_version")
    find_model_version = _on_server("find_model_version")
    update_model_version = _on_server("update_model_version")
    delete_model_version = _on_server("delete_model_version")
    scan_model_versions = _on_server("scan_model_versions")
