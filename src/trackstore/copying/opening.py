"""Open the source of a copy by its URL."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from trackstore.copying.mlflow_database import MLflowDatabase
from trackstore.copying.mlflow_folder import MLflowFolder
from trackstore.copying.mlflow_server import MLflowServer
from trackstore.copying.source import Source, StoreSource
from trackstore.errors import InvalidRequest
from trackstore.registry import has_scheme, open_backend_store

MLFLOW = "mlflow:"


def open_source(url: str) -> Source:
    """Return what to copy from: a store's URL, or `mlflow:` and what MLflow would be given.

    Raises `InvalidRequest` if there is nothing to copy.
    """
    if url.startswith(MLFLOW):
        return _of_mlflow(url.removeprefix(MLFLOW))
    store = open_backend_store(url)
    source = StoreSource(store)
    if next(source.experiments(), None) is None:
        store.close()
        raise InvalidRequest("the source has no experiments: is its URL right?")
    return source


def _of_mlflow(place: str) -> Source:
    if place.startswith("file:"):
        return MLflowFolder(Path(unquote(urlsplit(place).path)))
    if not has_scheme(place):
        return MLflowFolder(Path(place))
    if place.startswith(("http:", "https:")):
        return MLflowServer(place)
    return MLflowDatabase(place)
